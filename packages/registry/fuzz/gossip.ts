// What a stranger can write to a cluster without keys: packets whose every field is in its place and holds what nobody
// would put there, by datagram and by stream, to members that go on living. Whatever comes: no throw, no datagram past
// 1,200 bytes, no more members than the limit, no queue that never ends. (What is true it may well change: that is what
// keys are for, and goal 11 of the soak.)
import assert from "node:assert/strict";
import type { SimNode } from "../test/gossip/world.ts";
import { World } from "../test/gossip/world.ts";
import { forgeAnything } from "../test/gossip/forged-packet.ts";

const memberCount = 4;
const packetCount = 150;
const maxMembers = 24;

/** One cluster under attack; throws when a law is broken. */
export function round(random: { u32(): number; bytes(count: number): Uint8Array }): void {
  // The world itself throws on a datagram that is too large.
  const world = new World({ seed: random.u32(), timing: { maxMembers } });
  const members = world.bootstrap(memberCount);
  for (const m of members) m.core.put(`service/${m.id}`, new Uint8Array(100), world.nowMs);
  for (let sent = 0; sent < packetCount; sent += 1) {
    const target = members[random.u32() % memberCount] as SimNode;
    const seen = members[random.u32() % memberCount] as SimNode;
    const packet = forgeAnything(
      random,
      members.map(({ core }) => core.self),
    );
    if (random.u32() % 2 === 0) target.core.receive(seen.address, packet, world.nowMs);
    else target.core.receiveStream(random.u32() % 2 === 0 ? seen.address : "#1", packet, world.nowMs);
    if (random.u32() % 4 === 0) world.run(world.nowMs + (random.u32() % 1_000));
  }
  world.run(world.nowMs + 60_000);
  for (const { id, core } of members) {
    assert.ok(core.size.members <= maxMembers, `${id} remembers ${core.size.members} members`);
    const { datagramsSent } = core.stats;
    world.run(world.nowMs + 10_000);
    const perSecond = (core.stats.datagramsSent - datagramsSent) / 10;
    assert.ok(perSecond < 8, `${id} sends ${perSecond} datagrams a second though nothing is new`);
  }
}
