/** Packets that no member sent: written by hand, for clusters without keys. */
import { Writer } from "../../src/gossip/bytes.ts";
import { hashName } from "../../src/gossip/hash.ts";
import { emptyUpdate, MessageType, tagHighOf, tagLowOf, type Update, writeUpdate } from "../../src/gossip/messages.ts";

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

/** What `write` wrote. */
export function written(write: (w: Writer) => void): Uint8Array {
  const w = new Writer(1_000);
  write(w);
  return w.bytes.slice(0, w.pos);
}
