import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FrameParser, type FrameSink } from "./frame-parser.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { FrameType, maxFrameBytes } from "./wire.ts";

interface Frame {
  readonly type: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

function collector(): FrameSink & { readonly frames: Frame[]; closed: boolean } {
  const frames: Frame[] = [];
  return {
    frames,
    closed: false,
    onFrame(type, streamId, bytes, start, end) {
      frames.push({ type, streamId, payload: Uint8Array.from(bytes.subarray(start, end)) });
    },
  };
}

function encode({ type, streamId, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length + 5, true);
  view.setUint8(4, type);
  view.setUint32(5, streamId, true);
  bytes.set(payload, 9);
  return bytes;
}

const frame = fc.record(
  {
    type: fc.integer({ min: 0, max: 255 }).filter((type) => type !== FrameType.chunk),
    streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 3000 }),
  },
  { noNullPrototype: true },
);

test("frames of borrowed bytes stay as they were when the memory is written again", () => {
  const sizes = fc.oneof(fc.integer({ max: 40, min: 0 }), fc.integer({ min: 4000, max: 9000 }));
  const cuts = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 12 }), cuts, (lengths, steps) => {
      const frames = lengths.map((length, at) => ({
        type: 1,
        streamId: at,
        payload: new Uint8Array(length).fill(at + 1),
      }));
      const whole = Buffer.concat(frames.map(encode));
      const memory = new Uint8Array(30_000);
      const parser = new FrameParser();
      const views: Uint8Array[] = [];
      const sink: FrameSink = {
        closed: false,
        onFrame: (_type, _id, bytes, start, end) => views.push(bytes.subarray(start, end)),
      };
      for (let pos = 0, step = 0; pos < whole.length; step++) {
        const part = whole.subarray(pos, pos + (steps[step % steps.length] ?? 1));
        memory.set(part);
        parser.push(memory.subarray(0, part.length), sink, true);
        memory.fill(0xee);
        pos += part.length;
      }
      assert.deepEqual(
        views.map((view) => Uint8Array.from(view)),
        frames.map(({ payload }) => payload),
      );
    }),
  );
});

test("a bad length behind whole frames of borrowed bytes is a fault after they were handed on", () => {
  const good = encode({ type: 1, streamId: 7, payload: new Uint8Array(20) });
  const sink = collector();
  const parser = new FrameParser();
  assert.throws(() => parser.push(Buffer.concat([good, good, new Uint8Array(9)]), sink, true), ProtocolFault);
  assert.equal(sink.frames.length, 2);
});

test("any split of the bytes gives the same frames", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 2000 })), (frames, cuts) => {
      const whole = Buffer.concat(frames.map(encode));
      const parser = new FrameParser();
      const sink = collector();
      let pos = 0;
      for (const cut of cuts) {
        parser.push(whole.subarray(pos, pos + cut), sink);
        pos = Math.min(whole.length, pos + cut);
      }
      parser.push(whole.subarray(pos), sink);
      assert.deepEqual(sink.frames, frames);
      assert.equal(parser.partial, false);
    }),
  );
});

test("a chunk frame is handed on in the pieces in which it comes", () => {
  const chunk: Frame = { type: FrameType.chunk, streamId: 5, payload: Uint8Array.from({ length: 900 }, (_, i) => i) };
  const after: Frame = { type: 1, streamId: 6, payload: Uint8Array.of(1) };
  const whole = Buffer.concat([encode(chunk), encode(after)]);
  for (let cut = 0; cut <= whole.length; cut++) {
    const parser = new FrameParser();
    const sink = collector();
    parser.push(whole.subarray(0, cut), sink);
    parser.push(whole.subarray(cut), sink);
    const pieces = sink.frames.filter(({ type }) => type === FrameType.chunk);
    assert.deepEqual(Uint8Array.from(Buffer.concat(pieces.map(({ payload }) => payload))), chunk.payload);
    assert.ok(pieces.every(({ streamId }) => streamId === 5));
    assert.deepEqual(sink.frames.at(-1), after);
    assert.equal(parser.partial, false);
  }
});

test("single bytes give the same frames", () => {
  const frames: Frame[] = [
    { type: 1, streamId: 7, payload: new Uint8Array(0) },
    { type: 2, streamId: 0xffff_ffff, payload: new Uint8Array(1500).fill(3) },
  ];
  const parser = new FrameParser();
  const sink = collector();
  for (const byte of Buffer.concat(frames.map(encode))) parser.push(Uint8Array.of(byte), sink);
  assert.deepEqual(sink.frames, frames);
});

test("a length outside the bounds ends the connection before memory is taken", () => {
  for (const length of [0, 4, maxFrameBytes + 1, 0xffff_ffff]) {
    const head = new Uint8Array(9);
    new DataView(head.buffer).setUint32(0, length, true);
    assert.throws(() => new FrameParser().push(head, collector()), ProtocolFault);
    const split = new FrameParser();
    split.push(head.subarray(0, 3), collector());
    assert.throws(() => split.push(head.subarray(3), collector()), ProtocolFault);
  }
});

test("no frame is handed on after the sink has closed", () => {
  const frames = [1, 2, 3].map((type) => encode({ type, streamId: 0, payload: new Uint8Array(2) }));
  const sink = collector();
  const closing: FrameSink = {
    get closed() {
      return sink.closed;
    },
    onFrame(...args) {
      sink.onFrame(...args);
      sink.closed = true;
    },
  };
  new FrameParser().push(Buffer.concat(frames), closing);
  assert.equal(sink.frames.length, 1);
});
