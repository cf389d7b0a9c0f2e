import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as native from "../src/cbor-text.ts";
import { Writer } from "../src/writer.ts";

/** The same module as it is where there is no global `Buffer`, such as in browsers. */
async function importPortable(): Promise<typeof native> {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Buffer") as PropertyDescriptor;
  const { Buffer } = globalThis;
  // Hidden from the module alone: what loads it needs its own.
  const get = (): unknown =>
    new Error("who asks").stack?.includes("cbor-text.ts?portable") === true ? undefined : Buffer;
  Object.defineProperty(globalThis, "Buffer", { configurable: true, get });
  const url = "../src/cbor-text.ts?portable";
  try {
    return (await import(url)) as typeof native;
  } finally {
    Object.defineProperty(globalThis, "Buffer", own);
  }
}

describe("text without Buffer", () => {
  it("is written and read the same", async () => {
    const portable = await importPortable();
    assert.notEqual(portable.writeText, native.writeText);
    for (const unit of ["a", "é", "水", "😀", "ab水", "\ufeff", "\ufffd", "\0"]) {
      for (const count of [0, 1, 10, 23, 24, 40, 41, 100, 300, 30_000, 70_000]) {
        const text = unit.repeat(count);
        const writer = new Writer(16);
        const same = new Writer(16);
        portable.writeText(writer, text);
        native.writeText(same, text);
        assert.ok(Buffer.compare(writer.take(), same.take()) === 0, `${count} of ${unit}`);
        const bytes = Uint8Array.from(Buffer.from(text));
        assert.equal(portable.utf8Slice(bytes, 0, bytes.length), text);
        if (unit === "a") assert.equal(portable.latin1Slice(bytes, 0, bytes.length), text);
      }
    }
    for (const bad of ["ff", "c328", "eda080", "e282"]) {
      const bytes = Uint8Array.from(Buffer.from(bad, "hex"));
      assert.throws(() => portable.utf8Slice(bytes, 0, bytes.length), { code: "text" });
    }
    for (const text of ["\ud800", "\udc00".repeat(50), `${"x".repeat(70_000)}\ud800`]) {
      assert.throws(() => portable.writeText(new Writer(), text), { code: "text" });
    }
  });
});
