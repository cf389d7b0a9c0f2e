import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "@pipit/simulation";
import { Reader, Writer } from "./bytes.ts";
import type { Member } from "./members.ts";
import { emptyUpdate, tagHighOf, tagLowOf } from "./messages.ts";
import { Node } from "./node.ts";
import { RecordBook } from "./record-book.ts";

test("a member whose records never came is held by nothing once it is forgotten", async () => {
  const effects = { datagram: () => {}, stream: () => {}, wake: () => {}, event: () => {} };
  const node = new Node({ id: "a", address: "10.0.0.1:1", generation: 1 }, seededRandom(1), effects);
  const book = new RecordBook(node);
  const forgotten = Array.from({ length: 100 }, (_, index) => {
    const owner = askedFor(node, book, `b${index}`);
    book.forget(owner);
    node.table.remove(owner, 2);
    return new WeakRef(owner);
  });
  await setImmediate();
  collectGarbage();
  const held = forgotten.filter((ref) => ref.deref() !== undefined).length;
  assert.ok(held <= 1, `${held} of 100 are still held`); // the engine may keep the last in a register
});

/** A member of which a rumor has said that it has records, which were asked for. */
function askedFor(node: Node, book: RecordBook, id: string): Member {
  const tag = { tagHigh: tagHighOf(id, 1), tagLow: tagLowOf(id, 1) };
  const owner = node.table.add({ ...emptyUpdate(), ...tag, id, address: "10.0.0.2:1", generation: 1 }, 1);
  const w = new Writer(100);
  for (const field of [tag.tagHigh, tag.tagLow, 9, 9]) w.u32(field);
  w.u8(0);
  book.onRumor(new Reader().reset(w.bytes, 0, w.pos), w.bytes.subarray(0, w.pos), "10.0.0.2:1", undefined, 1);
  return owner;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
