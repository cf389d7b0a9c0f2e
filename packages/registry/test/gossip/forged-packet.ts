/** Packets that no member sent: written by hand, for clusters without keys. */
import { Writer } from "../../src/gossip/bytes.ts";
import { hashName } from "../../src/gossip/hash.ts";
import {
  emptyUpdate,
  MessageType,
  type RecordEntry,
  tagHighOf,
  tagLowOf,
  type Update,
  writeRecord,
  writeUpdate,
} from "../../src/gossip/messages.ts";
import type { GossipRandom, MemberView } from "../../src/gossip/types.ts";

/** A message of a packet: its type and its body. */
export type ForgedMessage = readonly [type: number, body: Uint8Array];

/** A plain packet of the cluster "pipit". */
export function forgedPacket(...messages: readonly ForgedMessage[]): Uint8Array {
  return written((w) => {
    w.u8(1);
    w.u8(0);
    w.u32(hashName("pipit", 0));
    for (const [type, body] of messages) {
      w.u8(type);
      w.u16(body.length);
      w.raw(body);
    }
  });
}

/** The claim that there is such a member, its tag put right. */
export function forgedUpdate(fields: Partial<Update> & Pick<Update, "id" | "address" | "generation">): ForgedMessage {
  const { id, generation } = fields;
  const tag = { tagHigh: tagHighOf(id, generation), tagLow: tagLowOf(id, generation) };
  return [MessageType.update, written((w) => writeUpdate(w, { ...emptyUpdate(), ...fields, ...tag }))];
}

/** The claim that its owner has written these records since `base`. */
export function forgedRumor(
  { id, generation }: Pick<MemberView, "id" | "generation">,
  base: number,
  entries: readonly RecordEntry[],
): ForgedMessage {
  return [
    MessageType.rumor,
    written((w) => {
      w.u32(tagHighOf(id, generation));
      w.u32(tagLowOf(id, generation));
      w.u32(base);
      w.u32(entries.at(-1)?.version ?? 0);
      w.u8(entries.length);
      for (const entry of entries) writeRecord(w, entry);
    }),
  ];
}

/** What `write` wrote. */
function written(write: (w: Writer) => void): Uint8Array {
  const w = new Writer(1_000, 1 << 24);
  write(w);
  return w.bytes.slice(0, w.pos);
}

/** Where the sizes that a reader must stand come from: small ones, and those next to each limit. */
const sizes = [0, 1, 7, 100, 255, 256, 257, 900, 1_024, 1_100, 1_180, 5_000, 40_000, 65_000];
const addresses = ["10.9.9.9:1", "x", "", "10.0.0.0:7946", "10.0.0.1:7946", "a".repeat(255)];

/** A plain packet of one to six messages that can be read, about members that are and members that are not. */
export function forgeAnything(random: GossipRandom, members: readonly MemberView[]): Uint8Array {
  const below = (n: number): number => random.u32() % n;
  const anyOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const blob = (): Uint8Array => new Uint8Array(anyOf(sizes)).fill(below(256));
  const number = (): number => anyOf([0, 1, 2, random.u32(), 0xffffffff]);
  const subject = (): { id: string; generation: number } => {
    const known = anyOf(members);
    const generation = anyOf([known.generation, known.generation + below(3), below(3), 2 ** 48 - 1]);
    return { id: below(2) === 0 ? known.id : `ghost-${below(40)}`, generation };
  };
  const tag = (w: Writer): void => {
    const { id, generation } = subject();
    w.u32(tagHighOf(id, generation));
    w.u32(tagLowOf(id, generation));
  };
  const update = (): Uint8Array =>
    forgedUpdate({
      ...subject(),
      address: anyOf(addresses),
      // Not the last of all: whoever is held at that can only say so again and again.
      incarnation: below(1_000),
      rank: below(4),
      accuser: number(),
      salt: below(4) === 0 ? random.bytes(16) : undefined,
      extra: below(3) === 0 ? blob() : new Uint8Array(0),
    })[1];
  const record = (w: Writer): void =>
    writeRecord(w, {
      version: number(),
      key: anyOf(["k", "service/x", "k".repeat(255)]),
      value: below(4) === 0 ? undefined : blob(),
      extra: below(4) === 0 ? blob() : new Uint8Array(0),
    });
  const entry = (w: Writer): void => {
    const body = update();
    w.u32(number());
    w.u16(body.length);
    w.raw(body);
  };
  const view = (w: Writer): void => {
    for (let i = 0; i < 4; i += 1) w.u32(number());
    w.u8(below(256));
  };
  const times = (run: () => void): void => {
    for (let left = below(4); left > 0; left -= 1) run();
  };
  const bodies: Record<number, (w: Writer) => void> = {
    [MessageType.ping]: (w) => (w.u32(number()), tag(w), tag(w), w.u32(number()), w.u32(number()), w.u8(below(256))),
    [MessageType.ack]: (w) => (w.u32(number()), view(w)),
    [MessageType.pingRequest]: (w) => (w.u32(number()), tag(w), tag(w), w.u16(number())),
    [MessageType.nack]: (w) => w.u32(number()),
    [MessageType.update]: (w) => w.raw(update()),
    [MessageType.rumor]: (w) => {
      tag(w);
      w.u32(anyOf([0, 1, number()]));
      w.u32(number());
      const count = below(4);
      w.u8(count);
      for (let i = 0; i < count; i += 1) record(w);
    },
    [MessageType.confirm]: (w) => (w.u32(number()), w.u8(below(2)), w.u16(number()), tag(w)),
    [MessageType.confirmReply]: (w) => (w.u32(number()), w.u8(below(4))),
    [MessageType.syncStart]: (w) => {
      const count = anyOf([0, 1, 2, 3, 16, 1_024, 2_048]);
      w.u32(number());
      w.u8(below(8));
      w.u32(number());
      w.u32(number());
      w.u16(count);
      for (let i = 0; i < count; i += 1) w.u32(number());
    },
    [MessageType.syncSame]: (w) => (w.u32(number()), w.u8(below(2))),
    [MessageType.syncEntries]: (w) => (w.u32(number()), w.u8(below(2)), times(() => entry(w))),
    [MessageType.syncPush]: (w) => (w.u32(number()), w.u8(below(2)), times(() => entry(w))),
    [MessageType.pull]: (w) => {
      const count = below(4);
      w.u16(count);
      for (let i = 0; i < count; i += 1) {
        tag(w);
        w.u32(number());
      }
    },
    [MessageType.records]: (w) => {
      tag(w);
      w.u8(below(4));
      w.u32(number());
      w.u32(number());
      const count = below(4);
      w.u16(count);
      for (let i = 0; i < count; i += 1) record(w);
    },
  };
  bodies[MessageType.streamPing] = bodies[MessageType.ping] as (w: Writer) => void;
  bodies[MessageType.streamAck] = bodies[MessageType.ack] as (w: Writer) => void;
  const types = Object.keys(bodies).map(Number);
  return forgedPacket(
    ...Array.from({ length: 1 + below(6) }, (): ForgedMessage => {
      const type = anyOf(types);
      return [type, written(bodies[type] as (w: Writer) => void)];
    }),
  );
}
