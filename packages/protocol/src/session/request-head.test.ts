import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@pipit/codec";
import { Metadata } from "../metadata.ts";
import { writeVarint } from "./bytes.ts";
import { endFields, writeField, writeNumberField } from "./fields.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import {
  type DescribedCall,
  hasRequestFields,
  plainHead,
  readRequestFields,
  RequestHead,
  writeRequestFields,
} from "./request-head.ts";
import { RequestField } from "./wire.ts";

function headWith(part: Partial<RequestHead>): RequestHead {
  return Object.assign(new RequestHead(), part);
}

function written(call: DescribedCall): Reader {
  const writer = new Writer();
  writeRequestFields(writer, call);
  return new Reader(writer.take());
}

function varint(value: number): Uint8Array {
  const writer = new Writer();
  writeVarint(writer, value);
  return writer.take();
}

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const cases: readonly [what: string, part: Partial<RequestHead>][] = [
  ["metadata", { metadata: new Metadata({ "x-tenant": "seven" }) }],
  ["an idempotency key", { idempotencyKey: "k".repeat(256) }],
  ["an attempt", { attempt: 2 }],
  ["no retries lent", { retriesLent: 0 }],
  ["criticality", { criticality: 2 }],
  ["a trace", { traceparent: trace }],
  ["all at once", { idempotencyKey: "k", attempt: 300, retriesLent: 255, criticality: 0, traceparent: trace }],
];

for (const [what, part] of cases) {
  test(`the head of a call with ${what} is read as it was written`, () => {
    const call = headWith(part);
    assert.ok(hasRequestFields(call));
    assert.deepEqual(readRequestFields(written(call)), call);
  });
}

test("a call of which nothing is special has no fields, and reading none says the same", () => {
  assert.equal(hasRequestFields(plainHead), false);
  assert.deepEqual(written(plainHead).bytes, new Uint8Array([0]));
  assert.deepEqual(readRequestFields(written(plainHead)), plainHead);
});

test("a malformed trace context counts as none", () => {
  const call = headWith({ attempt: 2, traceparent: "00-1-2-03" });
  assert.deepEqual(readRequestFields(written(call)), headWith({ attempt: 2 }));
});

test("a field of a later version is passed over", () => {
  const writer = new Writer();
  writeField(writer, 99, new Uint8Array(5));
  writeNumberField(writer, RequestField.attempt, 2);
  endFields(writer);
  assert.deepEqual(readRequestFields(new Reader(writer.take())), headWith({ attempt: 2 }));
});

const bad: readonly [what: string, id: number, value: Uint8Array][] = [
  ["an idempotency key past 256 bytes", RequestField.idempotencyKey, new Uint8Array(257)],
  ["a trace context past 256 bytes", RequestField.traceparent, new Uint8Array(257)],
  ["attempt 0", RequestField.attempt, varint(0)],
  ["attempt 65,536", RequestField.attempt, varint(65_536)],
  ["256 retries lent", RequestField.retriesLent, varint(256)],
  ["criticality 3", RequestField.criticality, varint(3)],
  ["a number without an end", RequestField.attempt, new Uint8Array([0x80])],
  ["a number with more behind it", RequestField.attempt, new Uint8Array([2, 0])],
  ["a number in more bytes than it needs", RequestField.attempt, new Uint8Array([0x82, 0])],
];

for (const [what, id, value] of bad) {
  test(`${what} is a fault`, () => {
    const writer = new Writer();
    writeField(writer, id, value);
    endFields(writer);
    assert.throws(() => readRequestFields(new Reader(writer.take())), ProtocolFault);
  });
}
