import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsRegistry } from "../src/dns-registry.ts";
import { gossipRegistry } from "../src/gossip-registry.ts";
import { memoryRegistry } from "../src/memory-registry.ts";
import type { Lease, Registry } from "../src/registry.ts";
import { staticRegistry } from "../src/static-registry.ts";
import { fakeClock } from "./fake-clock.ts";
import { fakeResolver } from "./fake-resolver.ts";
import { checkAgainstModel, type Draw, type ModelledRegistry } from "./registry-model.ts";

const seed = Number(process.env["PIPIT_SEED"] ?? 1);
const services = ["s1", "s2", "s3"];
const idCount = 5;
const timeout = 300_000;

test("memoryRegistry agrees with a model over 10^5 random operations", { timeout }, () =>
  checkAgainstModel(writable(memoryRegistry()), seed),
);

test("gossipRegistry agrees with a model over 10^5 random operations", { timeout }, () =>
  checkAgainstModel(writable(gossipRegistry()), seed),
);

test("staticRegistry agrees with a model over 10^5 random operations", { timeout }, () => {
  const registry = staticRegistry({ s1: ["h:1", "h:2"], s2: [{ id: "x", host: "h", port: 1, weight: 3 }] });
  const texts: Record<string, string> = { s1: "h:1 1 1 up, h:2 1 1 up", s2: "x 1 3 up", s3: "" };
  const mutate = async (): Promise<void> => {};
  return checkAgainstModel({ registry, services, mutate, expected: (service) => texts[service] as string }, seed);
});

test("dnsRegistry agrees with a model over 10^5 random operations", { timeout }, () => {
  const [resolver, clock] = [fakeResolver(), fakeClock()];
  resolver.ttl = 30;
  const registry = dnsRegistry({ resolver, clock, names: (service) => `${service}:1` });
  const mutate = async (draw: Draw): Promise<void> => {
    const service = services[draw(services.length)] as string;
    if (draw(20) === 0) {
      // A spell without answers changes nothing for those who watch.
      const before = resolver.v4.get(service);
      resolver.v4.set(service, draw(2) === 0 ? "ESERVFAIL" : "hang");
      await clock.advance(draw(20_000));
      if (before === undefined) resolver.v4.delete(service);
      else resolver.v4.set(service, before);
    } else {
      const chosen = [1, 2, 3].filter(() => draw(2) === 0).map((last) => `10.0.0.${last}`);
      if (chosen.length > 0) resolver.v4.set(service, chosen);
      else resolver.v4.delete(service);
    }
    // The longest pause, then two more denials.
    await clock.advance(resolver.v4.has(service) ? 30_000 : 33_000);
  };
  const expected = (service: string): string => {
    const addresses = resolver.v4.get(service) ?? [];
    assert.ok(typeof addresses === "object");
    return addresses.map((address) => `${address}:1 0 1 up`).join(", ");
  };
  return checkAgainstModel({ registry, services, mutate, expected }, seed);
});

/** Leases of few ids in few services, each operation also at its forbidden moments. */
function writable(registry: Registry): ModelledRegistry {
  interface Known {
    readonly generation: number;
    weight: number;
    state: "up" | "draining";
  }
  const model = new Map(services.map((service) => [service, new Map<string, Known>()]));
  const leases: { readonly lease: Lease; readonly known: Known }[] = [];
  let lastGeneration = 0;

  const register = async (draw: Draw): Promise<void> => {
    const [service, id] = [services[draw(services.length)] as string, `i${draw(idCount)}`];
    const entries = model.get(service) as Map<string, Known>;
    const generation = draw(5) === 0 ? draw(lastGeneration + 1) : ++lastGeneration;
    const attempt = registry.register({ id, service, host: "h", port: 1, generation });
    if ((entries.get(id)?.generation ?? -1) >= generation) return assert.rejects(attempt, /expected a newer one/);
    const known: Known = { generation, weight: 1, state: "up" };
    entries.set(id, known);
    leases.push({ lease: await attempt, known });
    if (leases.length > 40) leases.shift();
  };

  const change = async (draw: Draw): Promise<void> => {
    const chosen = leases[draw(leases.length)];
    if (chosen === undefined) return;
    const { lease, known } = chosen;
    const { service, id } = lease.instance;
    const entries = model.get(service) as Map<string, Known>;
    const holds = entries.get(id) === known;
    switch (draw(3)) {
      case 0: {
        const weight = draw(10);
        const attempt = lease.update({ weight });
        if (!holds) return assert.rejects(attempt, /Cannot update/);
        known.weight = weight;
        return attempt;
      }
      case 1: {
        const attempt = lease.drain();
        if (!holds) return assert.rejects(attempt, /Cannot drain/);
        known.state = "draining";
        return attempt;
      }
      default:
        if (holds) entries.delete(id);
        return lease.release();
    }
  };

  return {
    registry,
    services,
    mutate: (draw) => (draw(3) === 0 ? register(draw) : change(draw)),
    expected: (service) =>
      [...(model.get(service) as Map<string, Known>)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, { generation, weight, state }]) => `${id} ${generation} ${weight} ${state}`)
        .join(", "),
  };
}
