import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { test } from "node:test";
import { type FakeClock, fakeClock, settled } from "../test/fake-clock.ts";
import { type FakeResolver, fakeResolver } from "../test/fake-resolver.ts";
import { registrySuite, suiteService, take } from "../test/registry-suite.ts";
import { openDnsServer } from "../test/dns-server.ts";
import { type DnsEvent, dnsRegistry } from "./dns-registry.ts";
import type { Registry, Snapshot } from "./registry.ts";

const addresses: Record<string, string> = { a: "10.0.0.1", b: "10.0.0.2", c: "10.0.0.3" };
const labels: Record<string, string> = { "10.0.0.1:1": "a", "10.0.0.2:1": "b", "10.0.0.3:1": "c" };

registrySuite("dnsRegistry", {
  readOnly: true,
  label: ({ id }) => labels[id] as string,
  open: async () => {
    const { registry, resolver, clock } = open({ names: (service) => `${service}:1` });
    const serve = async (wanted: readonly string[]): Promise<void> => {
      if (wanted.length > 0)
        resolver.v4.set(
          suiteService,
          wanted.map((label) => addresses[label] as string),
        );
      else resolver.v4.delete(suiteService);
      for (let round = 0; round < 4; round += 1) await clock.advance(10_000);
    };
    await serve(["a", "b"]);
    return { registry, serve };
  },
});

test("A and AAAA answers are one set, named by address, with the host name in metadata", async () => {
  const { registry, resolver } = open();
  resolver.v4.set("h", ["10.0.0.2", "10.0.0.1", "10.0.0.2"]);
  resolver.v6.set("h", ["::1"]);
  const { instances } = await registry.list("h:80");
  assert.deepEqual(
    instances.map(({ id }) => id),
    ["10.0.0.1:80", "10.0.0.2:80", "[::1]:80"],
  );
  assert.deepEqual(instances[2], {
    id: "[::1]:80",
    generation: 0,
    service: "h:80",
    host: "::1",
    port: 80,
    weight: 1,
    zone: "",
    version: "",
    metadata: { "dns.name": "h" },
    state: "up",
  });
});

test("an address literal asks nobody", async () => {
  const { registry, resolver } = open();
  assert.deepEqual(show(await registry.list("127.0.0.1:80")), ["127.0.0.1:80"]);
  assert.deepEqual(show(await registry.list("[::1]:80")), ["[::1]:80"]);
  assert.deepEqual(resolver.asked, []);
});

test("SRV gives ports and weights, from the best priority that has an address", async () => {
  const { registry, resolver } = open();
  resolver.srv.set("_x._tcp.h", [
    { name: "gone", port: 1, priority: 0, weight: 9 },
    { name: "one", port: 2, priority: 1, weight: 7 },
    { name: "two", port: 3, priority: 1, weight: 0 },
    { name: "backup", port: 4, priority: 2, weight: 5 },
  ]);
  for (const [name, address] of [
    ["one", "10.0.0.1"],
    ["two", "10.0.0.2"],
    ["backup", "10.0.0.3"],
  ] as const) {
    resolver.v4.set(name, [address]);
  }
  const { instances } = await registry.list("_x._tcp.h");
  assert.deepEqual(
    instances.map(({ id, weight }) => [id, weight]),
    [
      ["10.0.0.1:2", 7],
      ["10.0.0.2:3", 1],
    ],
  );
});

test("an SRV target of a single dot says that the service is not here", async () => {
  const { registry, resolver } = open();
  resolver.srv.set("_x._tcp.h", [{ name: ".", port: 0, priority: 0, weight: 0 }]);
  assert.deepEqual(show(await registry.list("_x._tcp.h")), []);
});

test("a watched name is asked again after its TTL, kept within 1 s and 30 s", async () => {
  for (const [ttl, periodMs] of [
    [0, 1_000],
    [7, 7_000],
    [300, 30_000],
  ] as const) {
    const { registry, resolver, clock } = open();
    resolver.ttl = ttl;
    resolver.v4.set("h", ["10.0.0.1"]);
    const watching = await watch(registry, "h:80");
    assert.deepEqual(clock.due(), [periodMs], `TTL ${ttl} s`);
    await watching.return?.();
    assert.deepEqual(clock.due(), [], "nobody watches, nobody asks");
  }
});

test("SRV on address literals carries no TTL and is asked every 5 s", async () => {
  const { registry, resolver, clock } = open();
  resolver.srv.set("_x._tcp.h", [{ name: "10.0.0.1", port: 2, priority: 1, weight: 7 }]);
  await watch(registry, "_x._tcp.h");
  assert.deepEqual(clock.due(), [5_000]);
});

test("one answer that shows nothing new wakes nobody", async () => {
  const { registry, resolver, clock } = open();
  resolver.v4.set("h", ["10.0.0.1", "10.0.0.2"]);
  const iterator = await watch(registry, "h:80");
  let woken = false;
  void iterator.next().then(() => (woken = true));
  resolver.v4.set("h", ["10.0.0.2", "10.0.0.1"]);
  await clock.advance(60_000);
  assert.equal(woken, false);
});

test("NXDOMAIN empties a service only when it comes three times in a row", async () => {
  for (const code of ["ENOTFOUND", "ENODATA"]) {
    const { registry, resolver, clock } = open();
    resolver.v4.set("h", ["10.0.0.1"]);
    const iterator = await watch(registry, "h:80");
    resolver.v4.set("h", code);
    await clock.advance(10_000);
    assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.1:80"], "one denial");
    await clock.advance(1_000);
    assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.1:80"], "two denials");
    await clock.advance(1_000);
    assert.deepEqual(show(await take(iterator)), [], "three denials");
  }
});

test("SERVFAIL and silence never empty a service, and say so", async () => {
  for (const code of ["ESERVFAIL", "ETIMEOUT", "ECONNREFUSED", "hang"]) {
    const { registry, resolver, clock, events } = open();
    resolver.v4.set("h", ["10.0.0.1"]);
    resolver.v6.set("h", "ENODATA");
    await watch(registry, "h:80");
    resolver.v4.set("h", code);
    resolver.v6.set("h", code);
    await clock.advance(3_600_000);
    assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.1:80"]);
    const [first] = events;
    assert.ok(
      first?.type === "lookupFailed" && first.name === "h" && first.count === 1 && first.error instanceof Error,
    );
    assert.ok(events.length > 100 && events.every(({ type }) => type === "lookupFailed"));
    resolver.v4.set("h", ["10.0.0.2"]);
    resolver.v6.set("h", "ENODATA");
    await clock.advance(36_000);
    assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.2:80"]);
    assert.deepEqual(events.at(-1), { type: "lookupRecovered", service: "h:80" });
  }
});

test("after failures the next try comes in 1, 2, 4 … 30 s", async () => {
  const { registry, resolver, clock } = open();
  resolver.v4.set("h", "ESERVFAIL");
  const iterator = registry.watch("h:80")[Symbol.asyncIterator]();
  const first = take(iterator);
  const waitsMs: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    await settled();
    waitsMs.push((clock.due()[0] as number) - clock.now());
    await clock.advance(waitsMs.at(-1) as number);
  }
  assert.deepEqual(waitsMs, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  resolver.v4.set("h", ["10.0.0.1"]);
  await clock.advance(30_000);
  assert.deepEqual(show(await first), ["10.0.0.1:80"], "the first snapshot waited for the first knowledge");
});

test("half a failure keeps the failing half", async () => {
  const { registry, resolver, clock } = open();
  resolver.v4.set("h", ["10.0.0.1"]);
  resolver.v6.set("h", ["::1"]);
  await watch(registry, "h:80");
  resolver.v4.set("h", ["10.0.0.2"]);
  resolver.v6.set("h", "ESERVFAIL");
  await clock.advance(10_000);
  assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.2:80", "[::1]:80"]);
});

test("list rejects with the cause when nothing is known and the lookup fails", async () => {
  const { registry, resolver, clock } = open();
  resolver.v4.set("h", "ESERVFAIL");
  await assert.rejects(registry.list("h:80"), (error: Error) => {
    assert.match(error.message, /^Cannot list service "h:80": looking up "h" failed$/);
    assert.equal((error.cause as { code?: string }).code, "ESERVFAIL");
    return true;
  });
  assert.deepEqual(clock.due(), [], "nothing goes on afterwards");
});

test("close during a lookup ends list with a clear error", async () => {
  const { registry, resolver } = open();
  resolver.v4.set("h", "hang");
  const listing = registry.list("h:80");
  await settled();
  await registry.close();
  await assert.rejects(listing, /Cannot list service "h:80": the registry is closed/);
});

test("more addresses than the limit are cut, and reported", async () => {
  const { registry, resolver, events } = open({ maxInstances: 2 });
  resolver.v4.set("h", ["10.0.0.3", "10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(show(await registry.list("h:80")), ["10.0.0.1:80", "10.0.0.2:80"]);
  assert.deepEqual(events, [{ type: "tooManyInstances", service: "h:80", found: 3, limit: 2 }]);
});

test("a service without a DNS name is refused at once", () => {
  const { registry } = open({ names: { greeter: "h:80" } });
  assert.throws(
    () => registry.watch("other"),
    /Cannot look up service "other": the option names has no DNS name for it/,
  );
  assert.throws(() => open().registry.watch("h"), /Cannot parse address "h"/);
});

test("a real resolver and a real server on loopback agree with the fake", async () => {
  const server = await openDnsServer({ "_x._tcp.h.test SRV": ["1 5 50051 a.h.test"], "a.h.test A": ["10.1.2.3"] });
  try {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([`127.0.0.1:${server.port}`]);
    const events: DnsEvent[] = [];
    const registry = dnsRegistry({ resolver, onEvent: (event) => events.push(event) });
    assert.deepEqual(show(await registry.list("_x._tcp.h.test")), ["10.1.2.3:50051"]);
    assert.deepEqual(show(await registry.list("none.test:1")), [], "NXDOMAIN");
    await assert.rejects(registry.list("servfail.test:1"), /looking up "servfail.test" failed/);
    assert.equal(events.length, 2);
    await registry.close();
  } finally {
    server.close();
  }
});

interface Opened {
  readonly registry: Registry;
  readonly resolver: FakeResolver;
  readonly clock: FakeClock;
  readonly events: DnsEvent[];
}

function open(options: Parameters<typeof dnsRegistry>[0] = {}): Opened {
  const [resolver, clock, events] = [fakeResolver(), fakeClock(), [] as DnsEvent[]];
  const registry = dnsRegistry({ resolver, clock, onEvent: (event) => events.push(event), ...options });
  return { registry, resolver, clock, events };
}

async function watch(registry: Registry, service: string): Promise<AsyncIterator<Snapshot>> {
  const iterator = registry.watch(service)[Symbol.asyncIterator]();
  await take(iterator);
  await settled();
  return iterator;
}

function show(snapshot: Snapshot): string[] {
  return snapshot.instances.map(({ id }) => id);
}
