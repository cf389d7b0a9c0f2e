import assert from "node:assert/strict";
import { test } from "node:test";
import { type Registry, type RpcError, isRpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import { GossipFleet, kill, reads } from "./gossip-fleet.ts";

const timeout = 60_000;
/** Calls in flight at once while a server leaves. */
const loopCount = 32;

async function withFleet(run: (fleet: GossipFleet) => Promise<void>): Promise<void> {
  const fleet = new GossipFleet();
  try {
    await run(fleet);
  } finally {
    await fleet.close();
  }
}

test("a server that leaves under load fails no call, though none may be sent twice", { timeout }, () =>
  withFleet(async (fleet) => {
    const names = ["a", "b", "c", "d"];
    const replicas = [];
    for (const name of names) replicas.push(await fleet.start(name));
    const { client, registry } = await fleet.follow();
    await reads(registry, "a up, b up, c up, d up");
    const served = new Map<string, number>();
    const failures: unknown[] = [];
    const over = new AbortController();
    let allServed = (): void => {};
    const spread = new Promise<void>((resolve) => {
      allServed = resolve;
    });
    const loops = Array.from({ length: loopCount }, async () => {
      while (!over.signal.aborted) {
        try {
          const { text } = await client.call(Probe.methods.plain, { text: "" });
          served.set(text, (served.get(text) ?? 0) + 1);
          if (served.size === names.length) allServed();
        } catch (error) {
          failures.push(error);
        }
      }
    });
    await spread;
    for (const name of ["d", "c"]) {
      const replica = replicas.find((each) => each.name === name);
      const rest = names.slice(0, names.indexOf(name)).map((each) => `${each} up`);
      const gone = reads(registry, rest.join(", "));
      await replica?.server.close();
      await replica?.registry.close();
      await gone;
    }
    over.abort();
    await Promise.all(loops);
    assert.deepEqual(failures, []);
    assert.equal(client.stats().calls.retries, 0);
  }),
);

test("with all servers killed calls fail at once and say why, and go on when one returns", { timeout }, () =>
  withFleet(async (fleet) => {
    const replicas = [await fleet.start("a"), await fleet.start("b"), await fleet.start("c")];
    const { client, registry } = await fleet.follow();
    await reads(registry, "a up, b up, c up");
    await client.call(Probe.methods.plain, { text: "" });
    const life = await generationOf(registry, "a");
    await Promise.all(replicas.map(kill));
    await reads(registry, "a stale, b stale, c stale");
    // A deadline far away: what fails here fails by itself.
    for (const method of [Probe.methods.plain, Probe.methods.safe]) {
      const error = await failure(client.call(method, { text: "" }, { timeoutMs: 3_600_000 }));
      assert.equal(error.code, "unavailable");
      assert.equal(error.handled, "no", error.message);
      assert.match(error.message, /; the registry has lost sight of this server, its record is stale \(/);
    }
    // It comes back where it was and knows only the dead: the client's registry, which retries its dead for ever, finds it.
    const [first] = replicas;
    await fleet.start("a", Number(first?.gossip.split(":")[1]));
    await reads(registry, "a up, b stale, c stale");
    assert.deepEqual(await client.call(Probe.methods.plain, { text: "" }), { text: "a" });
    assert.ok((await generationOf(registry, "a")) > life, "its next life is no newer than the last");
  }),
);

async function generationOf(registry: Registry, id: string): Promise<number> {
  const { instances } = await registry.list(Probe.name);
  return instances.find((each) => each.id === id)?.generation ?? Number.NaN;
}

async function failure(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    if (isRpcError(error)) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "The call succeeded" });
}
