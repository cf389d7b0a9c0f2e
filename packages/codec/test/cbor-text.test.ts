import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { writeText } from "../src/cbor-text.ts";
import * as native from "../src/text-encodings.ts";
import { Writer } from "../src/writer.ts";

/** The same module as it is where there is no global `Buffer`, such as in browsers. */
async function importPortable(): Promise<typeof native> {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Buffer") as PropertyDescriptor;
  const { Buffer } = globalThis;
  // Hidden from the module alone: what loads it needs its own.
  const get = (): unknown =>
    new Error("who asks").stack?.includes("text-encodings.ts?portable") === true ? undefined : Buffer;
  Object.defineProperty(globalThis, "Buffer", { configurable: true, get });
  const url = "../src/text-encodings.ts?portable";
  try {
    return (await import(url)) as typeof native;
  } finally {
    Object.defineProperty(globalThis, "Buffer", own);
  }
}

describe("text without Buffer", () => {
  it("is written and read the same", async () => {
    const portable = await importPortable();
    assert.notEqual(portable.writeUtf8, native.writeUtf8);
    for (const unit of ["a", "é", "水", "😀", "ab水", "\ufeff", "\ufffd", "\0"]) {
      for (const count of [0, 1, 10, 23, 24, 40, 41, 100, 300, 30_000, 70_000]) {
        const text = unit.repeat(count);
        const bytes = Uint8Array.from(Buffer.from(text));
        const room = Buffer.alloc(bytes.length);
        assert.equal(portable.writeUtf8(room, 0, text), bytes.length);
        assert.ok(room.equals(bytes), `${count} of ${unit}`);
        assert.equal(portable.readUtf8(bytes, 0, bytes.length), text);
        if (unit === "a") assert.equal(portable.readLatin1(bytes, 0, bytes.length), text);
        const writer = new Writer(bytes.length + 9);
        writeText(writer, text);
        assert.ok(Buffer.from(writer.take()).subarray(-bytes.length).equals(bytes) || count === 0);
      }
    }
    for (const bad of ["ff", "c328", "eda080", "e282"]) {
      const bytes = Uint8Array.from(Buffer.from(bad, "hex"));
      for (const read of [portable.readUtf8, native.readUtf8]) {
        assert.throws(
          () => read(bytes, 0, bytes.length),
          (error: { readonly code: string }) => error.code === "text",
        );
      }
    }
    for (const text of [
      "\ud800",
      "\udc00".repeat(50),
      `\ufffd${"水".repeat(3000)}\udc00`,
      `${"x".repeat(70_000)}\ud800`,
      `${"é".repeat(70_000)}\ud800`,
      `\ud800${"é".repeat(70_000)}`,
    ]) {
      assert.throws(() => writeText(new Writer(), text), { code: "text" });
    }
  });

  it("has the same Latin-1 and UTF-16", async () => {
    const portable = await importPortable();
    for (const text of ["", "abc", "é".repeat(50), "x".repeat(3000), "😀水".repeat(300), "aaaa水"]) {
      const [one, other] = [Buffer.alloc(2 * text.length + 16), Buffer.alloc(2 * text.length + 16)];
      const end = native.isWide(text) ? -1 : text.length;
      for (const { writeLatin1 } of [portable, native]) assert.equal(writeLatin1(one, 0, text), end);
      if (end >= 0) assert.equal(portable.readLatin1(one, 0, text.length), text);
      const views = [one, other].map(({ buffer, byteOffset }) => new DataView(buffer, byteOffset)) as [
        DataView,
        DataView,
      ];
      portable.writeUtf16(one, views[0], 0, text);
      native.writeUtf16(other, views[1], 0, text);
      assert.deepEqual(one.subarray(0, 2 * text.length), other.subarray(0, 2 * text.length));
      assert.equal(portable.readUtf16(one, views[0], 0, 2 * text.length), text);
    }
  });
});
