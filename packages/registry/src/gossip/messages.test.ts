import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Reader, Writer } from "./bytes.ts";
import { MAX_EXTRA_BYTES, MAX_RECORD_BYTES } from "./config.ts";
import {
  type RecordEntry,
  type Update,
  emptyUpdate,
  idHash,
  readRecord,
  readUpdateHead,
  readUpdateRest,
  recordBytes,
  tagHighOf,
  tagLowOf,
  writeRecord,
  writeUpdate,
} from "./messages.ts";

const name = (max: number): fc.Arbitrary<string> =>
  fc.string({
    minLength: 1,
    maxLength: max,
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
  });

const update: fc.Arbitrary<Update> = fc
  .record({
    incarnation: fc.nat(0xffffffff),
    rank: fc.nat(3),
    accuser: fc.integer(),
    generation: fc.maxSafeNat().map((n) => n % 2 ** 48),
    id: name(64),
    address: name(255),
    salt: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: undefined }),
    extra: fc.uint8Array({ maxLength: 50 }),
  })
  .map((u) => ({ ...u, tagHigh: tagHighOf(u.id, u.generation), tagLow: tagLowOf(u.id, u.generation) }));

const record: fc.Arbitrary<RecordEntry> = fc
  .record({
    version: fc.nat(0xffffffff),
    key: name(255),
    value: fc.option(fc.uint8Array({ maxLength: 700 }), { nil: undefined }),
    extra: fc.uint8Array({ maxLength: 50 }),
  })
  .map((entry) => ({ ...entry }));

function written(write: (w: Writer) => void): Uint8Array {
  const w = new Writer(4_096);
  write(w);
  return w.bytes.slice(0, w.pos);
}

function readUpdate(bytes: Uint8Array): Update | undefined {
  const r = new Reader().reset(bytes, 0, bytes.length);
  const u = emptyUpdate();
  readUpdateHead(r, u);
  return readUpdateRest(r, u) ? u : undefined;
}

test("an update comes back as it was written, with fields of later versions", () => {
  fc.assert(fc.property(update, (u) => assert.deepEqual(readUpdate(written((w) => writeUpdate(w, u))), u)));
});

test("a record comes back as it was written, and is as long as recordBytes says", () => {
  fc.assert(
    fc.property(record, (entry) => {
      const bytes = written((w) => writeRecord(w, entry));
      assert.equal(bytes.length, recordBytes(entry));
      assert.deepEqual(readRecord(new Reader().reset(bytes, 0, bytes.length)), entry);
    }),
  );
});

test("no bytes make a reader throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readUpdate(bytes);
      readRecord(new Reader().reset(bytes, 0, bytes.length));
    }),
    { numRuns: 2_000 },
  );
});

test("an update cut short, or whose tag is not that of its id, is refused", () => {
  const u: Update = { ...emptyUpdate(), id: "a", address: "h:1", generation: 5 };
  assert.equal(readUpdate(written((w) => writeUpdate(w, u))), undefined);
  const right = { ...u, tagHigh: tagHighOf("a", 5), tagLow: tagLowOf("a", 5) };
  const bytes = written((w) => writeUpdate(w, right));
  assert.notEqual(readUpdate(bytes), undefined);
  for (let length = 0; length < bytes.length; length++) assert.equal(readUpdate(bytes.subarray(0, length)), undefined);
});

test("an update with more appended than a datagram has room for, or a record over the limit, is refused", () => {
  const tag = { tagHigh: tagHighOf("a", 5), tagLow: tagLowOf("a", 5) };
  const u = (length: number): Update => ({
    ...emptyUpdate(),
    ...tag,
    id: "a",
    address: "h:1",
    generation: 5,
    extra: new Uint8Array(length),
  });
  assert.notEqual(readUpdate(written((w) => writeUpdate(w, u(MAX_EXTRA_BYTES)))), undefined);
  assert.equal(readUpdate(written((w) => writeUpdate(w, u(MAX_EXTRA_BYTES + 1)))), undefined);
  const readBack = (value: number, extra: number): RecordEntry | undefined => {
    const entry = { version: 1, key: "k", value: new Uint8Array(value), extra: new Uint8Array(extra) };
    const bytes = written((w) => writeRecord(w, entry));
    return readRecord(new Reader().reset(bytes, 0, bytes.length));
  };
  const room = MAX_RECORD_BYTES - recordBytes({ version: 1, key: "k", value: undefined, extra: new Uint8Array(0) });
  assert.notEqual(readBack(room - 10, 10), undefined);
  assert.equal(readBack(room - 10, 11), undefined);
  assert.equal(readBack(room + 1, 0), undefined);
});

test("tags tell ids and generations apart, and the hash of an accuser is never 0", () => {
  const tags = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    tags.add(`${tagHighOf(`node-${i % 200}`, i)} ${tagLowOf(`node-${i % 200}`, i)}`);
    assert.notEqual(idHash(`node-${i}`), 0);
  }
  assert.equal(tags.size, 20_000);
});

test("a writer refuses to pass its bound, and a reader yields zeros past the end", () => {
  const w = new Writer(4, 8);
  w.u32(1);
  w.u32(2);
  assert.throws(() => w.u8(3), /Write gossip message: 9 bytes, wanted at most 8/);
  const r = new Reader().reset(new Uint8Array([1]), 0, 1);
  assert.deepEqual([r.u8(), r.u32(), r.u48(), r.name(), r.ok], [1, 0, 0, "", false]);
});
