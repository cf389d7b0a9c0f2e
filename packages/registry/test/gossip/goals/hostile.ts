/** Goals 8, 10, 11 and 13: old packets, forged packets, changed keys, other versions. */
import { seededRandom } from "@pipit/simulation";
import { type GossipTiming, createGossipCore, nodeAead } from "../../../src/gossip/index.ts";
import { isUp } from "../watcher.ts";
import { type SimNode, World } from "../world.ts";
import { type Goal, type Samples, type Verdict, max, of, seconds, sum } from "./goal.ts";

const OLD_KEY = new Uint8Array(32).fill(1);
const NEW_KEY = new Uint8Array(32).fill(2);

interface Packet {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** Members die, leave and come back while every datagram is recorded; then all of it is replayed, shuffled and doubled. */
function replayAll(seed: number, replays: number, timing: Partial<GossipTiming> = {}): Samples {
  const packets: Packet[] = [];
  const gone = new Map<string, number>();
  let recording = false;
  let revived = 0;
  const world = new World({
    seed,
    timing,
    onDatagram: (from, to, bytes) => {
      if (recording && packets.length < 200_000) packets.push({ from: from.address, to, bytes: bytes.slice() });
    },
    onEvent: (_node, event) => {
      if (event.type !== "member" || recording) return;
      const { id, state, generation } = event.member;
      const last = gone.get(id);
      if (last !== undefined && generation <= last && (state === "alive" || state === "suspect")) revived++;
    },
  });
  const members = world.bootstrap(30);
  recording = true;
  for (const node of members.slice(10)) {
    const farewell = world.chance(0.5);
    if (farewell) node.core.leave(world.nowMs);
    world.run(world.nowMs + 500);
    world.crash(node, "dark");
    if (world.chance(0.3)) {
      world.run(world.nowMs + 3_000);
      world.restart(node, { seeds: members.slice(0, 3).map((m) => m.address) });
      world.run(world.nowMs + 3_000);
      world.crash(node, "dark");
    }
  }
  world.run(world.nowMs + 15_000);
  recording = false;
  for (const m of members) if (!isUp(m)) gone.set(m.id, m.lastGeneration);
  const up = members.filter(isUp);
  for (let i = 0; i < replays; i++) {
    const packet = packets[world.below(packets.length)] as Packet;
    // To its receiver, or to anybody.
    const target =
      (world.chance(0.5) ? up.find((m) => m.address === packet.to) : undefined) ?? up[world.below(up.length)];
    target?.core.receive(packet.from, packet.bytes, world.nowMs);
    if (i % 50 === 0) world.run(world.nowMs + 10);
  }
  world.run(world.nowMs + 20_000);
  const ghosts = sum(up.map((m) => m.core.members().length - up.length));
  return { revived: [revived], ghosts: [ghosts], packets: [packets.length], replays: [replays] };
}

export const goal8: Goal = {
  id: "8",
  title: "10⁶ recorded packets replayed shuffled and duplicated (no keys) revive nobody",
  measure: (seed, short) => replayAll(seed, short ? 20_000 : 50_000),
  judge(samples) {
    const revived = sum(of(samples, "revived"));
    const ghosts = sum(of(samples, "ghosts"));
    return {
      pass: revived === 0 && ghosts === 0,
      text: `${sum(of(samples, "replays"))} replays of ${sum(of(samples, "packets"))} recorded: ${revived} revived, ${ghosts} ghosts`,
    };
  },
  control: {
    title: "the dead and the left forgotten after a second",
    seeds: 3,
    measure: (seed) => replayAll(seed, 20_000, { deadTtlMs: 1_000, leftTtlMs: 1_000 }),
  },
};

/** New ids come and go for as long as it takes. */
const CHURN_TTL_MS = 10_000;

function churnIds(seed: number, ids: number, ttlMs: number = CHURN_TTL_MS): Samples {
  const world = new World({ seed, timing: { deadTtlMs: ttlMs, leftTtlMs: ttlMs } });
  const members = world.bootstrap(100);
  const seeds = members.slice(0, 5).map((m) => m.address);
  const slots: SimNode[] = [];
  const perSecond = 25;
  const started: string[] = [];
  for (let i = 0; i < perSecond * 2; i++) slots.push(world.add(`slot-${i}`, `10.2.0.${i}:7946`));
  const arrive = (slot: SimNode): void => {
    if (started.length >= ids) return;
    const id = `churn-${started.length}`;
    started.push(id);
    world.restart(slot, { id, seeds });
    const { core } = slot;
    world.after(1_400, () => core.leave(world.nowMs));
    world.after(1_900, () => world.crash(slot, "down"));
    world.after(2_000, () => arrive(slot));
  };
  slots.forEach((slot, i) => {
    world.crash(slot, "down");
    world.after((i * 2_000) / slots.length, () => arrive(slot));
  });
  let live = 0;
  let tombstones = 0;
  while (started.length < ids) {
    world.run(world.nowMs + 1_000);
    for (const m of members.slice(0, 20)) {
      live = Math.max(live, m.core.size.members - m.core.size.tombstones);
      tombstones = Math.max(tombstones, m.core.size.tombstones);
    }
  }
  world.run(world.nowMs + 3 * CHURN_TTL_MS);
  return {
    live: [live],
    tombstones: [tombstones],
    allowed: [Math.ceil(perSecond * ((CHURN_TTL_MS + 4_000) / 1_000)) + 50],
    leftover: [max(members.map((m) => m.core.size.members))],
    ids: [ids],
  };
}

function judgeChurn(samples: Samples): Verdict {
  const live = max(of(samples, "live"));
  const tombstones = max(of(samples, "tombstones"));
  const leftover = max(of(samples, "leftover"));
  return {
    pass: live <= 200 && leftover <= 200 && tombstones <= max(of(samples, "allowed")),
    text: `${sum(of(samples, "ids"))} ids: at most ${live} live and ${tombstones} tombstones at once, ${leftover} members known after`,
  };
}

export const goal8Churn: Goal = {
  id: "8-churn",
  title: "100,000 ids churned at N = 100, 5,000 a seed, leave ≤ 2 N + live tombstones (TTL 10 s, a twentieth of a run)",
  measure: (seed, short) => churnIds(seed, short ? 500 : 5_000),
  judge: judgeChurn,
  control: {
    title: "tombstones kept for an hour (500 ids)",
    measure: (seed) => churnIds(seed, 500, 3_600_000),
  },
};

export const goal8Long: Goal = {
  id: "8-long",
  title: "The same with all 100,000 ids in one run of 67 virtual minutes",
  seeds: 1,
  measure: (seed, short) => churnIds(seed, short ? 500 : 100_000),
  judge: judgeChurn,
};

/** The keys of all members go through these steps, each at a time of its own within `spreadMs`; then one comes with the old key. */
function rotate(seed: number, n: number, steps: readonly (readonly Uint8Array[])[], spreadMs: number): Samples {
  let mismatchMs = Number.POSITIVE_INFINITY;
  let joinMs = 0;
  const world = new World({
    seed,
    keys: [OLD_KEY],
    aead: nodeAead(),
    onEvent: (node, event, nowMs) => {
      if (event.type === "keyMismatch" && node.id === "late") mismatchMs = Math.min(mismatchMs, nowMs - joinMs);
    },
  });
  const members = world.bootstrap(n);
  world.network.change({ loss: 0.1 });
  for (const keys of steps) {
    // Not all at once: an operator takes a while.
    for (const m of members) world.after(world.below(spreadMs), () => m.core.setKeys(keys));
    world.run(world.nowMs + spreadMs + 10_000);
  }
  const late = world.add("late", "10.9.9.9:7946", {
    seeds: members.slice(0, 3).map((m) => m.address),
    keys: [OLD_KEY],
  });
  joinMs = world.nowMs;
  world.start(late);
  world.run(world.nowMs + 10_000);
  const [usage] = members.map((m) => m.core.keyUsage().size);
  return {
    deaths: [sum(members.map((m) => m.core.stats.deathsAnnounced))],
    views: [members.filter((m) => m.core.members().length !== n).length],
    mismatchMs: [mismatchMs],
    keyIds: [usage ?? 0],
    lateSees: [late.core.members().length],
  };
}

export const goal10: Goal = {
  id: "10",
  title:
    "Key rotation at N = 100, 10 % loss, AES-256-GCM: no death; a joiner with the old key reports keyMismatch ≤ 5 s",
  measure: (seed, short) => rotate(seed, short ? 20 : 100, [[OLD_KEY, NEW_KEY], [NEW_KEY, OLD_KEY], [NEW_KEY]], 5_000),
  judge(samples) {
    const deaths = sum(of(samples, "deaths"));
    const slowest = max(of(samples, "mismatchMs"));
    return {
      pass: deaths === 0 && slowest <= 5_000 && sum(of(samples, "views")) === 0 && max(of(samples, "lateSees")) === 1,
      text: `${deaths} deaths, mismatch reported in ${seconds(slowest)} at worst, key ids in use after: ${max(of(samples, "keyIds"))}`,
    };
  },
  control: {
    title: "from the old key to the new one in one step, within 20 s (N = 20)",
    seeds: 3,
    measure: (seed) => rotate(seed, 20, [[NEW_KEY]], 20_000),
  },
};

function mutate(random: ReturnType<typeof seededRandom>, bytes: Uint8Array): Uint8Array {
  const roll = random.u32() % 4;
  if (roll === 0) return bytes.subarray(0, random.u32() % (bytes.length + 1));
  const copy = roll === 1 ? new Uint8Array(bytes.length + (random.u32() % 64)) : bytes.slice();
  copy.set(bytes.subarray(0, copy.length));
  const changes = 1 + (random.u32() % 8);
  for (let i = 0; i < changes && copy.length > 0; i++) copy[random.u32() % copy.length] = random.u32();
  return copy;
}

function stateOf(node: { core: SimNode["core"] }): string {
  const members = node.core.members().sort((a, b) => (a.id < b.id ? -1 : 1));
  return JSON.stringify([members, node.core.viewHash(), node.core.size, node.core.records().length]);
}

/** A keyed member is fed mutated packets and replayed authentic ones, as itself and as its restarted self. */
function hostile(seed: number, count: number, keyed: boolean): Samples {
  const packets: Packet[] = [];
  const world = new World({
    seed,
    ...(keyed ? { keys: [OLD_KEY], aead: nodeAead() } : {}),
    onDatagram: (from, to, bytes) => {
      if (packets.length < 5_000) packets.push({ from: from.address, to, bytes: bytes.slice() });
    },
  });
  const members = world.bootstrap(8);
  const [victim, dying] = members as [SimNode, SimNode];
  world.crash(dying, "dark");
  world.run(world.nowMs + 15_000);
  for (const m of members) m.core.put(`service/${m.id}`, new Uint8Array(50), world.nowMs);
  world.run(world.nowMs + 5_000);
  const random = seededRandom(seed);
  let changed = 0;
  let amplified = 0;
  let outBytes = 0;
  const target = createTarget(victim, keyed, seed, (bytes) => {
    outBytes += bytes;
  });
  const attack = (node: { core: SimNode["core"] }, from: string, bytes: Uint8Array): void => {
    outBytes = 0;
    node.core.receive(from, bytes, world.nowMs);
    if (outBytes > bytes.length) amplified++;
    if (random.u32() % 4 === 0) node.core.receiveStream("#1", bytes, world.nowMs);
  };
  const before = stateOf(victim);
  const beforeTarget = stateOf(target);
  for (let i = 0; i < count; i++) {
    const packet = packets[random.u32() % packets.length] as Packet;
    const replay = random.u32() % 4 === 0;
    const bytes = replay ? packet.bytes : mutate(random, packet.bytes);
    if (random.u32() % 2 === 0) attack(target, "6.6.6.6:666", bytes);
    // The victim's own answers go into a world that stands still; what it sends is not counted, only what it believes.
    else if (!replay || packet.to === victim.address || keyed) victim.core.receive(packet.from, bytes, world.nowMs);
  }
  if (stateOf(victim) !== before || stateOf(target) !== beforeTarget) changed++;
  return { changed: [changed], amplified: [amplified], packets: [count] };
}

/** The victim's restarted self: same id and address, nothing remembered. */
function createTarget(
  victim: SimNode,
  keyed: boolean,
  seed: number,
  onOut: (bytes: number) => void,
): { core: SimNode["core"] } {
  const core = createGossipCore(
    {
      id: victim.id,
      address: victim.address,
      generation: victim.lastGeneration + 1,
      ...(keyed ? { keys: [OLD_KEY], aead: nodeAead() } : {}),
    },
    seededRandom(seed + 1),
    {
      datagram: (to, bytes) => {
        if (to === "6.6.6.6:666") onOut(bytes.length);
      },
      stream: () => {},
      wake: () => {},
      event: () => {},
    },
  );
  core.start(0);
  return { core };
}

function hostileGoal(id: string, keyed: boolean): Goal {
  return {
    id,
    title: keyed
      ? "10⁷ mutated, truncated and replayed packets, keyed: no throw, no change of view, also after a restart; never more bytes out than in"
      : "The same without keys: no throw, never more bytes out than in to a stranger",
    measure: (seed, short) => hostile(seed, short ? 20_000 : 500_000, keyed),
    judge(samples) {
      const changed = sum(of(samples, "changed"));
      const amplified = sum(of(samples, "amplified"));
      return {
        pass: (changed === 0 || !keyed) && amplified === 0,
        text: `${sum(of(samples, "packets"))} packets: no throw, ${changed} views changed, ${amplified} answers larger than the question`,
      };
    },
    ...(keyed && {
      control: {
        title: "without keys",
        seeds: 3,
        measure: (seed: number): Samples => hostile(seed, 20_000, false),
      },
    }),
  };
}

export const goal11: Goal = hostileGoal("11", true);
export const goal11Open: Goal = hostileGoal("11-open", false);

const STRANGER = "6.6.6.6:666";

/** The same against a cluster that lives on meanwhile, so that what an attack sets off later counts too. */
function hostileToTheLiving(seed: number, count: number, keyed: boolean): Samples {
  const packets: Packet[] = [];
  let quiet = false;
  let changed = 0;
  let outBytes = 0;
  const world = new World({
    seed,
    ...(keyed ? { keys: [OLD_KEY], aead: nodeAead() } : {}),
    onDatagram: (from, to, bytes) => {
      if (to === STRANGER) outBytes += bytes.length;
      if (packets.length < 5_000) packets.push({ from: from.address, to, bytes: bytes.slice() });
    },
    onEvent: (_node, event) => {
      if (quiet && (event.type === "member" || event.type === "record")) changed++;
    },
  });
  const members = world.bootstrap(8);
  const [reborn] = members as [SimNode];
  for (const m of members) m.core.put(`service/${m.id}`, new Uint8Array(50), world.nowMs);
  world.run(world.nowMs + 5_000);
  world.crash(reborn, "down");
  world.run(world.nowMs + 2_000);
  world.restart(reborn, { seeds: members.slice(1, 3).map((m) => m.address) });
  world.run(world.nowMs + 10_000);
  const accused = (): number => sum(members.map((m) => m.core.stats.suspicions + m.core.stats.refutations));
  const accusedBefore = accused();
  quiet = true;
  const random = seededRandom(seed);
  let inBytes = 0;
  for (let i = 0; i < count; i++) {
    const packet = packets[random.u32() % packets.length] as Packet;
    const bytes = random.u32() % 4 === 0 ? packet.bytes : mutate(random, packet.bytes);
    const target = members.find((m) => m.address === packet.to && random.u32() % 2 === 0) ?? members[random.u32() % 8];
    const from = random.u32() % 2 === 0 ? packet.from : STRANGER;
    if (from === STRANGER) inBytes += bytes.length;
    if (random.u32() % 4 !== 0) target?.core.receive(from, bytes, world.nowMs);
    // An incoming stream that is gone by the time it is answered.
    else target?.core.receiveStream("#99999999", bytes, world.nowMs);
    if (i % 50 === 0) world.run(world.nowMs + 10);
  }
  world.run(world.nowMs + 20_000);
  return {
    changed: [changed + accused() - accusedBefore],
    amplified: [outBytes > inBytes ? 1 : 0],
    packets: [count],
  };
}

export const goal11Live: Goal = {
  id: "11-live",
  title:
    "The same, keyed, to a cluster of 8 that lives on, one of them restarted: no event, no suspicion, no refutation",
  measure: (seed, short) => hostileToTheLiving(seed, short ? 10_000 : 200_000, true),
  judge: goal11.judge,
  control: { title: "without keys", seeds: 3, measure: (seed) => hostileToTheLiving(seed, 10_000, false) },
};

/** Restarts of one member, all at one time. `randomOf` gives each its randomness. */
function restartAtOnce(restarts: number, randomOf: () => ReturnType<typeof seededRandom>): Samples {
  const aead = nodeAead();
  const nonces = new Set<string>();
  let sent = 0;
  const note = (bytes: Uint8Array): void => {
    sent++;
    nonces.add(Array.from(bytes.subarray(10, 32)).join());
  };
  for (let i = 0; i < restarts; i++) {
    const core = createGossipCore(
      {
        id: "again",
        address: "10.0.0.1:1",
        generation: 5,
        keys: [OLD_KEY],
        aead,
        seeds: ["10.0.0.2:1", "10.0.0.3:1"],
      },
      randomOf(),
      { datagram: (_to, bytes) => note(bytes), stream: (_to, bytes) => note(bytes), wake: () => {}, event: () => {} },
    );
    core.start(1);
    for (let t = 1; t < 4; t++) core.tick(1 + t * 3_000);
  }
  return { repeated: [sent - nonces.size], sent: [sent] };
}

export const goal11Nonce: Goal = {
  id: "11-nonce",
  title: "1,000 restarts within one millisecond repeat no (salt, nonce)",
  seeds: 20,
  measure(seed) {
    const random = seededRandom(seed);
    return restartAtOnce(1_000, () => random);
  },
  judge(samples) {
    const repeated = sum(of(samples, "repeated"));
    return { pass: repeated === 0, text: `${repeated} repeated of ${sum(of(samples, "sent"))} packets` };
  },
  control: {
    title: "salts drawn from the time of the start (10 restarts)",
    seeds: 1,
    measure: (seed) => restartAtOnce(10, () => seededRandom(seed)),
  },
};

/** Twenty come to fifty, as observers or as members, and then one of the fifty dies. */
function watchedBy(seed: number, member: boolean): Samples {
  let toThem = 0;
  const world = new World({ seed, onDatagram: (_from, to) => (toThem += to.startsWith("10.3.") ? 1 : 0) });
  const members = world.bootstrap(50);
  world.run(world.nowMs + 10_000);
  world.resetTraffic();
  world.run(world.nowMs + 30_000);
  const packets = sum(members.map((m) => m.packets));
  const observers = Array.from({ length: 20 }, (_, i) =>
    world.add(`observer-${i}`, `10.3.0.${i}:7946`, {
      member,
      seeds: members.slice(0, 3).map((m) => m.address),
    }),
  );
  for (const o of observers) world.start(o);
  world.run(world.nowMs + 5_000);
  world.resetTraffic();
  world.run(world.nowMs + 30_000);
  const extra = (sum(members.map((m) => m.packets)) - packets) / packets;
  const bytes = sum(members.map((m) => m.bytes));
  const known = members.filter((m) => m.core.members().length !== 50).length;
  world.crash(members[10] as SimNode, "dark");
  world.run(world.nowMs + 10_000);
  const blind = observers.filter((o) => o.core.members().length !== 49).length;
  return { toThem: [toThem], extra: [extra], known: [known], blind: [blind], bytes: [bytes / 50 / 30] };
}

export const goal13: Goal = {
  id: "13",
  title: "Observers (member: false) cost members nothing but their own questions: nobody knows or probes them",
  measure: (seed) => watchedBy(seed, false),
  judge(samples) {
    const toThem = sum(of(samples, "toThem"));
    const extra = max(of(samples, "extra"));
    const known = max(of(samples, "known"));
    const blind = max(of(samples, "blind"));
    return {
      // Half a minute may begin between a ping and its ack: one datagram in 6,000.
      pass: toThem === 0 && extra <= 0.001 && known === 0 && blind === 0,
      text: `50 members and 20 observers: ${toThem} datagrams to observers, ${(100 * extra).toFixed(2)} % more among members; members that list one: ${known}; observers that missed a death: ${blind}`,
    };
  },
  control: {
    title: "as members",
    seeds: 3,
    measure: (seed) => watchedBy(seed, true),
  },
};
