import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@pipit/codec";
import { Metadata } from "../metadata.ts";
import { metadataBytes } from "./bytes.ts";
import { readReplyFields, writeReplyFields } from "./reply-head.ts";

const trailers = new Metadata({ "x-rows": "12" });
const cases = [
  { trailers, retriesUsed: 0 },
  { trailers: undefined, retriesUsed: 3 },
  { trailers, retriesUsed: 255 },
  { trailers: undefined, retriesUsed: 0 },
];

for (const head of cases) {
  test(`a reply's head is read as it was written: ${head.trailers?.size ?? 0} trailers, ${head.retriesUsed} retries used`, () => {
    const writer = new Writer();
    writeReplyFields(writer, head.trailers && metadataBytes(head.trailers), head.retriesUsed);
    assert.deepEqual(readReplyFields(new Reader(writer.take())), head);
  });
}
