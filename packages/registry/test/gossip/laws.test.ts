import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@pipit/simulation";
import {
  type GossipConfig,
  type GossipCore,
  type GossipEvent,
  createGossipCore,
  nodeAead,
} from "../../src/gossip/index.ts";
import { Reader } from "../../src/gossip/bytes.ts";
import {
  emptyUpdate,
  MessageType,
  type RecordEntry,
  readRecord,
  readUpdateHead,
  readUpdateRest,
} from "../../src/gossip/messages.ts";
import { forgedPacket, forgedRumor, forgedUpdate } from "./forged-packet.ts";
import { type SimNode, World, type WorldOptions } from "./world.ts";

const NOTHING = new Uint8Array(0);

interface Seen {
  readonly node: string;
  readonly event: GossipEvent;
  readonly nowMs: number;
}

function cluster(n: number, options: Partial<WorldOptions> = {}): { world: World; members: SimNode[]; seen: Seen[] } {
  const seen: Seen[] = [];
  const world = new World({
    seed: 1,
    ...options,
    onEvent: (node, event, nowMs) => seen.push({ node: node.id, event, nowMs }),
  });
  const members = world.bootstrap(n);
  seen.length = 0;
  return { world, members, seen };
}

const states = (seen: readonly Seen[], id: string): string[] =>
  seen.flatMap(({ event }) => (event.type === "member" && event.member.id === id ? [event.member.state] : []));

const seedsOf = (members: readonly SimNode[]): string[] => members.slice(0, 3).map((m) => m.address);

function firstMs(seen: readonly Seen[], id: string, state: string): number {
  const found = seen.find(
    ({ event }) => event.type === "member" && event.member.id === id && event.member.state === state,
  );
  return found?.nowMs ?? Number.POSITIVE_INFINITY;
}

test("a lone member is alone, and two find each other through one seed", () => {
  const world = new World({ seed: 1 });
  const a = world.add("a", "10.0.0.1:1");
  const b = world.add("b", "10.0.0.2:1", { seeds: ["10.0.0.1:1"] });
  world.start(a);
  world.run(5_000);
  assert.deepEqual(
    a.core.members().map((m) => m.id),
    ["a"],
  );
  world.start(b);
  world.run(6_000);
  assert.equal(a.core.viewHash(), b.core.viewHash());
  assert.deepEqual(
    b.core
      .members()
      .map((m) => m.id)
      .sort(),
    ["a", "b"],
  );
});

test("a seed that is down is tried until it is up", () => {
  const world = new World({ seed: 1 });
  const a = world.add("a", "10.0.0.1:1");
  world.start(a);
  world.crash(a, "dark");
  const b = world.add("b", "10.0.0.2:1", { seeds: ["10.0.0.1:1"] });
  world.start(b);
  world.run(60_000);
  world.restart(a);
  world.run(66_000);
  assert.equal(b.core.members().length, 2);
});

/** How long until all survivors know that these processes of 20 were killed, for each of 50 seeds, with no hint from calls. */
function timesOfKills(victims: readonly number[], ringWatch: boolean): number[] {
  return Array.from({ length: 50 }, (_, i) => {
    const { world, members, seen } = cluster(20, { seed: i + 1, timing: { ringWatch } });
    const killedMs = world.nowMs;
    for (const victim of victims) world.crash(members[victim] as SimNode, "down");
    world.run(killedMs + 5_000);
    const deaths = seen.filter(({ event }) => event.type === "member" && event.member.state === "dead");
    assert.equal(deaths.length, (20 - victims.length) * victims.length, `seed ${i + 1}`);
    return (deaths.at(-1)?.nowMs ?? 0) - killedMs;
  });
}

test("a killed process of 20 is known to all within a second, with no hint from calls", () => {
  const tookMs = timesOfKills([7], true);
  assert.ok(Math.max(...tookMs) <= 1_000, `took ${tookMs.map(Math.round).join(" ")}`);
});

test("so are two killed together", () => {
  const tookMs = timesOfKills([7, 12], true);
  assert.ok(Math.max(...tookMs) <= 1_000, `took ${tookMs.map(Math.round).join(" ")}`);
});

test("control: with no streams kept along the ring some kills take more than 1.5 s to be known, and none more than 3.5 s", () => {
  const tookMs = timesOfKills([7], false);
  assert.ok(Math.max(...tookMs) > 1_500 && Math.max(...tookMs) <= 3_500, `took ${tookMs.map(Math.round).join(" ")}`);
});

test("with a hint from a reset call a killed process is known to all within 800 ms", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, members, seen } = cluster(20, { seed });
    const killedMs = world.nowMs;
    world.crash(members[7] as SimNode, "down");
    members[2]?.core.report("node-7", world.nowMs);
    world.run(killedMs + 800);
    const deaths = seen.filter(({ event }) => event.type === "member" && event.member.state === "dead");
    assert.equal(deaths.length, 19, `seed ${seed}`);
  }
});

test("strong evidence ends a suspicion within 500 ms, confirmation included", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, members, seen } = cluster(20, { seed });
    world.crash(members[7] as SimNode, "down");
    world.run(world.nowMs + 5_000);
    const took = firstMs(seen, "node-7", "dead") - firstMs(seen, "node-7", "suspect");
    assert.ok(took <= 500, `seed ${seed}: ${took} ms`);
  }
});

test("a port that refuses streams is no verdict while datagrams are answered", () => {
  const { world, members, seen } = cluster(10);
  const [a, b] = members as [SimNode, SimNode];
  a.core.report(b.id, world.nowMs);
  a.core.streamFailed(b.address, "refused", world.nowMs);
  world.run(world.nowMs + 10_000);
  assert.deepEqual(states(seen, b.id), []);
});

test("a hint probes at once, and at most once a second", () => {
  const { world, members } = cluster(10);
  const [a, b] = members as [SimNode, SimNode];
  const before = a.core.stats.probes;
  for (let i = 0; i < 50; i++) a.core.report(b.id, world.nowMs);
  assert.equal(a.core.stats.probes, before + 1);
});

test("a process stopped for 3 s is killed by nobody, and one frozen for 60 s by all", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { world, members, seen } = cluster(20, { seed });
    const frozen = members[7] as SimNode;
    world.stall(frozen, 3_000);
    world.run(world.nowMs + 20_000);
    assert.ok(!states(seen, frozen.id).includes("dead"), `seed ${seed}`);
    assert.ok(members.every((m) => m.core.members().length === 20));
    world.stall(frozen, 60_000);
    world.run(world.nowMs + 40_000);
    assert.ok(states(seen, frozen.id).includes("dead"), `seed ${seed}`);
    world.run(world.nowMs + 40_000);
    assert.ok(
      members.every((m) => m.core.member(frozen.id)?.state === "alive"),
      `seed ${seed}: refuted its death`,
    );
  }
});

test("a farewell is known to all within 700 ms as left, never as suspect or dead", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, members, seen } = cluster(20, { seed });
    const leaver = members[3] as SimNode;
    leaver.core.put("orders/3", new Uint8Array([1]), world.nowMs);
    world.run(world.nowMs + 2_000);
    seen.length = 0;
    const startMs = world.nowMs;
    leaver.core.leave(startMs);
    world.run(startMs + 700);
    assert.ok(seen.some((s) => s.node === leaver.id && s.event.type === "left"));
    world.crash(leaver, "down");
    world.run(startMs + 20_000);
    const others = members.filter((m) => m !== leaver);
    assert.ok(others.every((m) => m.core.member(leaver.id)?.state === "left"));
    assert.deepEqual([...new Set(states(seen, leaver.id))], ["left"]);
    const gone = seen.flatMap(({ event }) => (event.type === "record" ? [event.change] : []));
    assert.deepEqual([gone.length, new Set(gone)], [19, new Set(["left"])]);
  }
});

test("records of a crashed owner vanish as failed, and return when it refutes", () => {
  const { world, members, seen } = cluster(8);
  const owner = members[2] as SimNode;
  owner.core.put("orders/2", new Uint8Array([7]), world.nowMs);
  world.run(world.nowMs + 2_000);
  assert.ok(members.every((m) => m.core.records().length === 1));
  seen.length = 0;
  world.stall(owner, 40_000);
  world.run(world.nowMs + 60_000);
  const changes = seen.flatMap((s) => (s.node === "node-0" && s.event.type === "record" ? [s.event.change] : []));
  assert.deepEqual(changes, ["failed", "put"]);
  assert.ok(members.every((m) => m.core.records().length === 1));
});

test("a member that comes back with a lower generation takes one above its past", () => {
  const { world, members, seen } = cluster(10);
  const node = members[5] as SimNode;
  const past = node.lastGeneration;
  world.crash(node, "down");
  world.run(world.nowMs + 10_000);
  world.restart(node, { generation: 5, seeds: seedsOf(members) });
  world.run(world.nowMs + 5_000);
  assert.deepEqual(
    seen.flatMap((s) => (s.event.type === "generation" ? [s.event.generation] : [])),
    [past + 1],
  );
  assert.ok(members.every((m) => m.core.member(node.id)?.generation === past + 1));
});

test("a member that comes back with state kept, same generation, is believed again", () => {
  const { world, members } = cluster(10);
  const node = members[5] as SimNode;
  world.crash(node, "down");
  world.run(world.nowMs + 10_000);
  world.restart(node, { generation: node.lastGeneration, seeds: seedsOf(members) });
  world.run(world.nowMs + 5_000);
  assert.ok(members.every((m) => m.core.member(node.id)?.state === "alive" && m.core.members().length === 10));
});

test("two owners of one id are resolved once: the newer generation stays, the loser says so and falls silent", () => {
  const { world, members, seen } = cluster(10);
  const first = members[4] as SimNode;
  const second = world.add(first.id, "10.9.0.1:7946", {
    seeds: seedsOf(members),
    generation: first.lastGeneration + 1_000,
  });
  world.start(second);
  world.run(world.nowMs + 10_000);
  const conflicts = seen.filter((s) => s.event.type === "conflict");
  assert.equal(conflicts.length, 1);
  const event = conflicts[0]?.event;
  assert.ok(event?.type === "conflict" && event.winner.address === second.address);
  const others = members.filter((m) => m !== first);
  assert.ok(others.every((m) => m.core.member(first.id)?.address === second.address));
  const packets = first.packets;
  world.run(world.nowMs + 30_000);
  assert.equal(first.packets, packets);
  assert.equal(seen.filter((s) => s.event.type === "conflict").length, 1);
});

test("two owners of one id and generation: the higher address wins", () => {
  const { world, members, seen } = cluster(10);
  const first = members[4] as SimNode;
  const second = world.add(first.id, "10.9.0.1:7946", { seeds: seedsOf(members), generation: first.lastGeneration });
  world.start(second);
  world.run(world.nowMs + 15_000);
  const losers = seen.flatMap((s) => (s.event.type === "conflict" ? [s.event.winner.address] : []));
  assert.deepEqual(losers, [second.address]);
});

test("a record over the limit is refused with its size and the limit", () => {
  const { world, members } = cluster(2);
  const [a] = members as [SimNode];
  assert.throws(() => a.core.put("orders/1", new Uint8Array(1_100), world.nowMs), {
    name: "RangeError",
    message: "Register orders/1: record is 1118 bytes encoded, wanted at most 1024",
  });
  a.core.put("orders/1", new Uint8Array(1_024 - 18), world.nowMs);
  assert.throws(() => a.core.put("", new Uint8Array(1), world.nowMs), /wanted a key/);
});

test("a record changes, goes and comes everywhere, also the largest one, keys set", () => {
  const { world, members, seen } = cluster(12, { keys: [new Uint8Array(32)], aead: nodeAead() });
  const owner = members[2] as SimNode;
  for (const value of [new Uint8Array(900), new Uint8Array([1])]) {
    owner.core.put("k".repeat(100), value, world.nowMs);
    world.run(world.nowMs + 2_000);
    assert.ok(members.every((m) => m.core.records()[0]?.value.length === value.length));
  }
  const before = seen.length;
  owner.core.put("k".repeat(100), new Uint8Array([1]), world.nowMs);
  assert.equal(seen.length, before, "equal bytes are no change");
  assert.equal(owner.core.remove("nothing", world.nowMs), false);
  assert.equal(owner.core.remove("k".repeat(100), world.nowMs), true);
  world.run(world.nowMs + 2_000);
  assert.ok(members.every((m) => m.core.records().length === 0));
  assert.equal(new Set(members.map((m) => m.core.viewHash())).size, 1);
});

test("a member that missed forgotten tombstones is given the whole map", () => {
  const { world, members } = cluster(6, { timing: { leftTtlMs: 4_000 } });
  const [owner, away] = members as [SimNode, SimNode];
  for (let i = 0; i < 20; i++) owner.core.put(`s/${i}`, new Uint8Array([i]), world.nowMs);
  world.run(world.nowMs + 3_000);
  world.network.partition([[away.address]]);
  for (let i = 0; i < 19; i++) owner.core.remove(`s/${i}`, world.nowMs);
  world.run(world.nowMs + 30_000);
  world.network.heal();
  world.run(world.nowMs + 30_000);
  assert.deepEqual(
    away.core.records().map((r) => r.key),
    ["s/19"],
  );
});

test("random writes of all members converge to what their owners hold, under loss", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const { world, members } = cluster(12, { seed });
    world.network.change({ loss: 0.2, duplication: 0.05, reordering: 0.1 });
    const truth = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const owner = members[world.below(12)] as SimNode;
      const key = `s/${world.below(10)}`;
      if (world.chance(0.3)) {
        owner.core.remove(key, world.nowMs);
        truth.delete(`${owner.id} ${key}`);
      } else {
        owner.core.put(key, new Uint8Array([i, i >> 8]), world.nowMs);
        truth.set(`${owner.id} ${key}`, i);
      }
      world.run(world.nowMs + world.below(200));
    }
    world.network.change({ loss: 0 });
    world.run(world.nowMs + 15_000);
    for (const m of members) {
      const held = m.core
        .records()
        .map((r) => [`${r.owner} ${r.key}`, (r.value[0] as number) + 256 * (r.value[1] as number)] as const);
      assert.deepEqual(new Map(held), new Map(truth), `seed ${seed}, ${m.id}`);
    }
  }
});

test("fields of later versions are kept and forwarded", () => {
  const { world, members } = cluster(10);
  const [, , third] = members as [SimNode, SimNode, SimNode];
  const extra = new Uint8Array([0xca, 0xfe, 0xba, 0xbe]);
  // Also a message of a type nobody knows, in front.
  const newer = forgedUpdate({ id: "newer", address: "10.7.0.1:1", generation: 9, extra });
  third.core.receive("10.7.0.1:1", forgedPacket([99, new Uint8Array(5)], newer), world.nowMs);
  const late = world.add("late", "10.8.0.1:1", { seeds: [(members[9] as SimNode).address] });
  world.run(world.nowMs + 600);
  const sent: Uint8Array[] = [];
  const heard = collect(late, sent);
  world.start(heard);
  world.run(world.nowMs + 300);
  assert.ok(members.every((m) => m.core.member("newer") !== undefined));
  const found = sent.flatMap(updatesOf).filter((each) => each.id === "newer");
  assert.ok(found.length > 0);
  for (const each of found) assert.deepEqual(each.extra, extra);
});

/** Wraps a node's core so that the stream messages it receives, or the datagrams, are kept. */
function collect(node: SimNode, into: Uint8Array[], by: "receive" | "receiveStream" = "receiveStream"): SimNode {
  const core = node.core;
  const receive = core[by].bind(core);
  core[by] = (from, bytes, nowMs) => {
    into.push(bytes.slice());
    receive(from, bytes, nowMs);
  };
  return node;
}

/** Members named in the entries of an unsealed exchange. */
function updatesOf(bytes: Uint8Array): { id: string; extra: Uint8Array }[] {
  const r = new Reader().reset(bytes, 6, bytes.length);
  const found: { id: string; extra: Uint8Array }[] = [];
  if (r.u8() !== 15) return found;
  r.skip(2 + 5);
  r.skip(2);
  r.skip(2 * r.u16());
  while (r.left > 0) {
    r.skip(4);
    const length = r.u16();
    const u = emptyUpdate();
    const inner = new Reader().reset(r.bytes, r.pos, r.pos + length);
    r.skip(length);
    readUpdateHead(inner, u);
    if (readUpdateRest(inner, u)) found.push({ id: u.id, extra: u.extra });
  }
  return found;
}

test("fields of later versions in a record are kept and forwarded, by gossip and by stream", () => {
  const { world, members } = cluster(10);
  const [, owner, third] = members as [SimNode, SimNode, SimNode];
  const extra = new Uint8Array([0xfe, 0xed]);
  const entry = { version: 1, key: "orders/1", value: new Uint8Array([7]), extra };
  third.core.receive(owner.address, forgedPacket(forgedRumor(owner.core.self, 0, [entry])), world.nowMs);
  const passedOn: Uint8Array[] = [];
  collect(members[9] as SimNode, passedOn, "receive");
  world.run(world.nowMs + 600);
  const late = world.add("late", "10.8.0.1:1", { seeds: [third.address] });
  const served: Uint8Array[] = [];
  world.start(collect(late, served));
  world.run(world.nowMs + 600);
  assert.deepEqual(recordsOf(passedOn, MessageType.rumor, 17), [entry]);
  assert.deepEqual(recordsOf(served, MessageType.records, 19), [entry]);
});

test("news that no datagram has room for is kept, and not gossiped for ever", () => {
  const { world, members } = cluster(10);
  const [a, owner] = members as [SimNode, SimNode];
  const entries = [1, 2].map((version) => ({
    version,
    key: `k${version}`,
    value: new Uint8Array(900),
    extra: NOTHING,
  }));
  a.core.receiveStream("#1", forgedPacket(forgedRumor(owner.core.self, 0, entries)), world.nowMs);
  assert.equal(a.core.records().length, 2);
  world.run(world.nowMs + 10_000);
  world.resetTraffic();
  world.run(world.nowMs + 10_000);
  assert.ok(a.packets <= 80, `${a.packets} datagrams in ten quiet seconds`);
});

/** The records in messages of one type, in which `head` bytes come before them. */
function recordsOf(packets: readonly Uint8Array[], wanted: number, head: number): RecordEntry[] {
  const found = new Map<string, RecordEntry>();
  for (const bytes of packets) {
    const r = new Reader().reset(bytes, 6, bytes.length);
    while (r.left > 0) {
      const type = r.u8();
      const end = r.u16() + r.pos;
      if (type === wanted) {
        const inner = new Reader().reset(bytes, r.pos + head, end);
        for (let entry = readRecord(inner); entry !== undefined; entry = readRecord(inner)) found.set(entry.key, entry);
      }
      r.skip(end - r.pos);
    }
  }
  return [...found.values()];
}

test("another cluster's packets change nothing and are reported, at both ends", () => {
  const { world, members, seen } = cluster(3);
  const [a] = members as [SimNode];
  const stranger = world.add("s", "10.7.0.1:1", { cluster: "other", seeds: [a.address] });
  world.start(stranger);
  world.run(world.nowMs + 5_000);
  const who = new Set(seen.filter((s) => s.event.type === "clusterMismatch").map((s) => s.node));
  assert.ok(who.has("s") && who.size === 2);
  assert.equal(a.core.members().length, 3);
  assert.equal(stranger.core.members().length, 1);
});

test("a member with no key hears that one is wanted", () => {
  const { world, members, seen } = cluster(3, { keys: [new Uint8Array(32)], aead: nodeAead() });
  const [a] = members as [SimNode];
  const stranger = world.add("s", "10.7.0.1:1", { keys: undefined, aead: undefined, seeds: [a.address] });
  world.start(stranger);
  world.run(world.nowMs + 5_000);
  assert.ok(seen.some((s) => s.node === "s" && s.event.type === "keyMismatch"));
  assert.equal(a.core.members().length, 3);
});

test("blocked datagrams are reported as such and kill nobody", () => {
  const { world, members, seen } = cluster(10);
  const a = members[0] as SimNode;
  // Only streams get through to and from this member.
  const block = a.core.receive;
  a.core.receive = () => {};
  world.run(world.nowMs + 60_000);
  a.core.receive = block;
  assert.ok(seen.some((s) => s.event.type === "datagramsLost" && s.event.member.id === a.id));
  assert.ok(!states(seen, a.id).includes("dead"));
});

test("after a stall of its own a member holds nobody's silence against them", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, members, seen } = cluster(10, { seed });
    world.stall(members[0] as SimNode, 4_000);
    world.run(world.nowMs + 15_000);
    const accused = seen.filter(
      (s) => s.node === "node-0" && s.event.type === "member" && s.event.member.id !== "node-0",
    );
    assert.deepEqual(
      accused.map((s) => s.event),
      [],
      `seed ${seed}`,
    );
  }
});

test("an observer sees joins, farewells and deaths, each as what it is", () => {
  const { world, members, seen } = cluster(10);
  const observer = world.add("eye", "10.7.0.1:1", { member: false, seeds: seedsOf(members) });
  world.start(observer);
  (members[3] as SimNode).core.put("orders/3", new Uint8Array([1]), world.nowMs);
  world.run(world.nowMs + 4_000);
  assert.equal(observer.core.members().length, 10);
  assert.equal(observer.core.records().length, 1);
  assert.throws(() => observer.core.put("x", new Uint8Array(1), world.nowMs), TypeError);
  const leaver = members[3] as SimNode;
  leaver.core.leave(world.nowMs);
  world.run(world.nowMs + 600);
  world.crash(leaver, "down");
  world.crash(members[4] as SimNode, "dark");
  world.run(world.nowMs + 15_000);
  const told = (id: string): string[] =>
    states(
      seen.filter((s) => s.node === "eye"),
      id,
    );
  assert.equal(told("node-3").at(-1), "left");
  assert.equal(told("node-4").at(-1), "dead");
  assert.ok(members.every((m) => m.core.member("eye") === undefined));
});

test("members with keys find and believe each other, all under one key id", () => {
  const { members } = cluster(5, { keys: [new Uint8Array(32)], aead: nodeAead() });
  assert.equal(new Set(members.map((m) => m.core.viewHash())).size, 1);
  assert.ok(members.every((m) => m.core.keyUsage().size === 1 && m.core.members().length === 5));
});

test("no cluster of any size sends a datagram over 1,200 bytes, also while all restart at once, keys set", () => {
  // The world throws on a larger one.
  const { world, members } = cluster(40, { keys: [new Uint8Array(32)], aead: nodeAead() });
  for (const m of members) m.core.put("x".repeat(255), new Uint8Array(700), world.nowMs);
  for (const m of members.slice(3)) {
    world.crash(m, "down");
    world.restart(m, { seeds: seedsOf(members) });
  }
  world.run(world.nowMs + 10_000);
  assert.ok(members.every((m) => m.core.members().length === 40));
});

test("a core says when it wants to be woken, and is idle without news", () => {
  const wakes: number[] = [];
  const core = lone({ id: "a", address: "10.0.0.1:1", generation: 1 }, wakes);
  core.start(0);
  assert.ok(wakes.length > 0);
  for (let i = 0; i < 100; i++) core.tick(wakes.at(-1) as number);
  assert.ok((wakes.at(-1) as number) > 10_000, "about two ticks a second");
});

function lone(config: GossipConfig, wakes: number[]): GossipCore {
  return createGossipCore(config, seededRandom(1), {
    datagram: () => assert.fail("nobody to talk to"),
    stream: () => assert.fail("nobody to talk to"),
    wake: (atMs) => wakes.push(atMs),
    event: () => {},
  });
}

test("a member that reads nothing for 8 s calls nobody dead, and one cut off for good ends alone in its view", () => {
  const { world, members, seen } = cluster(10);
  const deaf = members[7] as SimNode;
  world.deafen(deaf, 8_000);
  world.run(world.nowMs + 20_000);
  for (const m of members) if (m !== deaf) assert.equal(states(seen, m.id).includes("dead"), false, m.id);
  for (const m of members) if (m !== deaf) world.crash(m, "dark");
  world.run(world.nowMs + 60_000);
  assert.deepEqual(
    deaf.core.members().map((m) => m.id),
    [deaf.id],
  );
});
