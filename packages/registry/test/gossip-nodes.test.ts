import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { parseAddress } from "../src/address.ts";
import { gossipRegistry } from "../src/gossip-registry.ts";
import { forgedPacket, forgedUpdate } from "./gossip/forged-packet.ts";
import { greeter, read, sees, withCluster } from "./gossip-nodes.ts";

const timeout = 30_000;

test("members find each other's instances through one seed", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    for (const id of ["a", "b", "c"]) {
      const { registry } = await cluster.add(id);
      await registry.register(greeter(id, { zone: `zone-${id}`, metadata: { from: id } }));
    }
    for (const { registry } of cluster.nodes) {
      await sees(registry, "a up, b up, c up");
      const found = (await registry.list("greeter")).instances[1];
      assert.deepEqual([found?.zone, found?.metadata], ["zone-b", { from: "b" }]);
      assert.equal(registry.members().length, 3);
    }
  }),
);

test("a late member's first snapshot is full", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const { registry } = await cluster.add("a");
    for (const id of ["x", "y", "z"]) await registry.register(greeter(id));
    const late = await cluster.add("b");
    assert.equal(read(await late.registry.list("greeter")), "x up, y up, z up");
  }),
);

test("an observer sees everything and is seen by nobody", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a");
    await a.registry.register(greeter("a"));
    const observer = await cluster.add("o", { member: false });
    await sees(observer.registry, "a up");
    const b = await cluster.add("b");
    await b.registry.register(greeter("b"));
    await sees(observer.registry, "a up, b up");
    await sees(a.registry, "a up, b up");
    assert.deepEqual(
      a.registry
        .members()
        .map(({ id }) => id)
        .sort(),
      ["a", "b"],
    );
    await assert.rejects(observer.registry.register(greeter("o")), TypeError);
  }),
);

test("updates, drains and releases reach the others", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const [a, b] = [await cluster.add("a"), await cluster.add("b")];
    const lease = await a.registry.register(greeter("x"));
    await sees(b.registry, "x up");
    await lease.update({ weight: 5 });
    for await (const { instances } of b.registry.watch("greeter")) if (instances[0]?.weight === 5) break;
    await lease.drain();
    await sees(b.registry, "x draining");
    await lease.release();
    await sees(b.registry, "");
  }),
);

test("a leaving member's instances go at once, and are never stale", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const [a, b] = [await cluster.add("a"), await cluster.add("b")];
    await b.registry.register(greeter("b"));
    await sees(a.registry, "b up");
    const seen = sees(a.registry, "");
    await b.registry.close();
    assert.ok((await seen).every((text) => text === "b up" || text === ""));
    assert.ok(a.events.some((event) => event.type === "member" && event.member.state === "left"));
  }),
);

test("a killed member's instances go, and the rest stay", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    for (const id of ["a", "b", "c", "d"]) {
      const { registry } = await cluster.add(id);
      await registry.register(greeter(id));
    }
    for (const { registry } of cluster.nodes) await sees(registry, "a up, b up, c up, d up");
    const others = cluster.nodes.slice(0, 3).map(({ registry }) => sees(registry, "a up, b up, c up"));
    await cluster.nodes[3]?.registry.destroy();
    await Promise.all(others);
  }),
);

test("when all of a service is killed its last instances stay stale, until one returns", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const [a, b, c] = [await cluster.add("a"), await cluster.add("b"), await cluster.add("c")];
    await b.registry.register(greeter("x"));
    await c.registry.register(greeter("y"));
    await sees(a.registry, "x up, y up");
    await Promise.all([b.registry.destroy(), c.registry.destroy()]);
    await sees(a.registry, "x stale, y stale");
    const reborn = await cluster.add("b");
    await reborn.registry.register(greeter("x"));
    await sees(a.registry, "x up");
  }),
);

test("stale instances end when the hold is over", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a", { emptyProtection: { holdMs: 300 } });
    const b = await cluster.add("b");
    await b.registry.register(greeter("x"));
    await sees(a.registry, "x up");
    const seen = sees(a.registry, "");
    await b.registry.destroy();
    assert.equal((await seen).at(-2), "x stale");
  }),
);

test("another cluster on the same address is told apart", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a", { cluster: "blue" });
    await a.registry.register(greeter("a"));
    const b = await cluster.add("b", { cluster: "green", joinTimeoutMs: 500 });
    assert.equal(read(await b.registry.list("greeter")), "");
    for (const { event } of [a, b]) assert.match((await event("clusterMismatch")).from, /^127\.0\.0\.1:\d+$/);
  }),
);

test("of two members with one id the older stops, says so, and refuses to announce", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a");
    await a.registry.register(greeter("a"));
    const first = await cluster.add("twin", { generation: 1 });
    const lease = await first.registry.register(greeter("one"));
    await sees(first.registry, "a up, one up");
    const second = await cluster.add("twin", { generation: 2 });
    await second.registry.register(greeter("two"));
    const { winner } = await first.event("conflict");
    assert.equal(winner.generation, 2);
    await sees(first.registry, "a stale, one stale");
    await assert.rejects(first.registry.register(greeter("three")), /is member "twin" too, and has won/);
    await assert.rejects(lease.drain(), /Cannot announce "one"/);
    await lease.release();
    await sees(a.registry, "a up, two up");
  }),
);

test("oversize metadata is refused at register and update, with its size and the limit", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const { registry } = await cluster.add("a");
    const metadata = { text: "x".repeat(1_000) };
    await assert.rejects(registry.register(greeter("x", { metadata })), /\d{4} bytes.* 1024/);
    const lease = await registry.register(greeter("x"));
    await assert.rejects(lease.update({ metadata }), RangeError);
    assert.deepEqual(lease.instance.metadata, {});
    assert.deepEqual((await registry.list("greeter")).instances[0]?.metadata, {});
  }),
);

test("seeds may be names, or a function", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a");
    await a.registry.register(greeter("a"));
    const { port } = parseAddress(cluster.seed);
    const named = await cluster.add("b", { seeds: [`seed.test:${port}`], lookup: async () => ["127.0.0.1"] });
    const found = await cluster.add("c", { seeds: async () => [cluster.seed] });
    for (const { registry } of [named, found]) await sees(registry, "a up");
  }),
);

test("a dead seed delays the first snapshot by joinTimeoutMs at most, and is reported", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const lookup = (): Promise<string[]> => Promise.reject(new Error("no such host"));
    const { registry, event } = await cluster.add("a", { seeds: ["nowhere.test:1"], lookup, joinTimeoutMs: 50 });
    assert.equal(read(await registry.list("greeter")), "");
    const { seed, error } = await event("seedFailed");
    assert.deepEqual([seed, (error as Error).message], ["nowhere.test:1", "no such host"]);
  }),
);

test(
  "a seed where nobody listens is reported when the wait for it is over, and a first member waits for nobody",
  {
    timeout,
  },
  (t) =>
    withCluster(t, async (cluster) => {
      const first = await cluster.add("a");
      const second = await cluster.add("b");
      const lost = await cluster.add("c", { seeds: ["127.0.0.1:9"], joinTimeoutMs: 50 });
      assert.deepEqual(await lost.event("notJoined"), { type: "notJoined", seeds: ["127.0.0.1:9"] });
      await second.registry.register(greeter("b"));
      for (const { events } of [first, second]) assert.ok(events.every(({ type }) => type !== "notJoined"));
    }),
);

test("an address that this machine does not have is an error that says so", { timeout }, async () => {
  const registry = gossipRegistry({ host: "192.0.2.1", port: 7_946 });
  const message = /^Cannot open gossip on 192\.0\.2\.1:7946: this machine has no such address/;
  await assert.rejects(registry.open(), { code: "EADDRNOTAVAIL", message });
  await registry.close();
});

test("a taken port is an error, and open may be called again", { timeout }, async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as { port: number };
  const registry = gossipRegistry({ port });
  const message = `Cannot open gossip on 127.0.0.1:${port}: another socket has this port, for UDP or for TCP; choose another, or 0 for any`;
  await assert.rejects(registry.open(), { code: "EADDRINUSE", message });
  await assert.rejects(registry.list("greeter"), { code: "EADDRINUSE" });
  await new Promise((resolve) => blocker.close(resolve));
  assert.equal((await registry.open()).port, port);
  await registry.close();
});

test("a port whose UDP half is taken leaves no TCP half behind", { timeout }, async (t) => {
  const tcp = createServer();
  const blocker = createSocket("udp4");
  t.after(() => blocker.close());
  // Its TCP half was free: other processes connect from ports, too.
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as { port: number };
  await new Promise<void>((resolve) => blocker.bind(port, "127.0.0.1", resolve));
  await new Promise((resolve) => tcp.close(resolve));
  const registry = gossipRegistry({ port });
  await assert.rejects(registry.open(), { code: "EADDRINUSE" });
  await new Promise<void>((resolve, reject) => tcp.once("error", reject).listen(port, "127.0.0.1", resolve));
  await new Promise((resolve) => tcp.close(resolve));
  await registry.close();
});

test("garbage by UDP and TCP changes nothing", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a");
    const { host, port } = parseAddress(cluster.seed);
    const udp = createSocket("udp4");
    for (let size = 0; size < 1_500; size += 50) udp.send(new Uint8Array(size).fill(size), port, host);
    const ended = ["G", "P", "T"].map(
      (letter) =>
        new Promise<void>((resolve) => {
          const socket = connect({ host, port }, () => socket.write(`${letter}ET / HTTP/1.1\r\nHost: x\r\n\r\n`));
          socket.on("error", () => {}).on("close", () => resolve());
        }),
    );
    await Promise.all(ended);
    udp.close();
    const b = await cluster.add("b");
    await b.registry.register(greeter("b"));
    await sees(a.registry, "b up");
    assert.equal(a.registry.members().length, 2);
  }),
);

test("members whose addresses nobody can dial are tried in vain, and harm nobody", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a");
    const addresses = ["x", ":1", "10.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "[::1:1", "unix:/tmp/x", "localhost:1"];
    const claims = addresses.map((address, index) => forgedUpdate({ id: `ghost-${index}`, address, generation: 1 }));
    const { host, port } = parseAddress(cluster.seed);
    const udp = createSocket("udp4");
    udp.send(forgedPacket(...claims), port, host);
    const gone = new Set<string>();
    await new Promise<void>((resolve) => {
      a.onEvent((event) => {
        if (event.type === "member" && event.member.state === "dead") gone.add(event.member.address);
        if (gone.size === addresses.length) resolve();
      });
    });
    udp.close();
    assert.deepEqual([...gone].sort(), addresses.sort());
  }),
);

test("a report probes the member behind the instance at once, and once a second", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const [a, b] = [await cluster.add("a"), await cluster.add("b")];
    await b.registry.register(greeter("x"));
    await sees(a.registry, "x up");
    const probes = (): number => a.registry.stats()?.probes ?? 0;
    const before = probes();
    a.registry.report("nobody", "reset");
    assert.equal(probes(), before);
    for (let times = 0; times < 1_000; times += 1) a.registry.report("x", "refused");
    assert.equal(probes(), before + 1);
  }),
);

test("close before, during and after open is fine, and ends what waits", { timeout }, async () => {
  const unopened = gossipRegistry();
  await unopened.close();
  await assert.rejects(unopened.open(), /Cannot open gossip: the registry is closed/);
  const opening = gossipRegistry();
  const opened = opening.open();
  await opening.close();
  await assert.rejects(opened, /the registry is closed/);
  const joining = gossipRegistry({ seeds: ["127.0.0.1:9"] });
  const listing = joining.list("greeter");
  await joining.open();
  await joining.close();
  await assert.rejects(listing, /Cannot list service "greeter": the registry is closed/);
});

test("malformed options are refused before any socket opens", () => {
  assert.throws(() => gossipRegistry({ host: "0.0.0.0" }), /Cannot advertise "0.0.0.0" to the cluster/);
  assert.throws(() => gossipRegistry({ host: "localhost" }), /Cannot advertise "localhost"/);
  assert.throws(() => gossipRegistry({ host: "nonsense", advertise: "10.0.0.1" }), /Cannot bind gossip to "nonsense"/);
  assert.throws(() => gossipRegistry({ seeds: ["10.0.0.1"] }), /Cannot parse address "10.0.0.1"/);
  assert.throws(() => gossipRegistry({ keys: [new Uint8Array(16)] }), /a key has 16 bytes, wanted 32/);
  assert.throws(() => gossipRegistry({ keys: [] }), /0 keys given/);
  assert.throws(() => gossipRegistry({ id: "x".repeat(65) }), /id is "x+", wanted 1 to 64 printable ASCII characters/);
  assert.throws(() => gossipRegistry({ cluster: "" }), /cluster is ""/);
  assert.throws(() => gossipRegistry({ generation: -1 }), /generation is -1/);
  assert.throws(() => gossipRegistry({ timing: { probePeriodMs: -1 } }), /timing.probePeriodMs is -1/);
});
