import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { encodeFrame, FrameReader, FrameTooLargeError } from "./stream-frames.ts";

test("any split of the bytes gives the same frames", () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = frames.flatMap((frame) => [...encodeFrame(frame)]);
      const reader = new FrameReader(40);
      const read: number[][] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const end = at + (cuts[turn % cuts.length] as number);
        for (const frame of reader.push(Uint8Array.from(bytes.slice(at, end)))) read.push([...frame]);
        at = end;
      }
      assert.deepEqual(
        read,
        frames.map((frame) => [...frame]),
      );
      assert.equal(reader.heldBytes, 0);
    }),
  );
});

test("a frame has its length first, little-endian", () => {
  assert.deepEqual([...encodeFrame(Uint8Array.of(7, 8))], [2, 0, 0, 0, 7, 8]);
});

test("a length past the limit is refused before its bytes come", () => {
  const reader = new FrameReader(10);
  assert.deepEqual(reader.push(Uint8Array.of(11, 0, 0)), []);
  assert.throws(() => reader.push(Uint8Array.of(0)), FrameTooLargeError);
  assert.throws(() => new FrameReader(1 << 20).push(new TextEncoder().encode("GET / HTTP/1.1")), /542393671 bytes/);
});
