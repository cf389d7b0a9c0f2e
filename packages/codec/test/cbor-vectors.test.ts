import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isCodecError } from "../src/codec-error.ts";
import { decodeHex, encodeHex, fromJson } from "./cbor-support.ts";

interface Good {
  readonly bytes: string;
  readonly value: unknown;
  readonly exact?: false;
}
interface Bad {
  readonly bytes: string;
  readonly code: string;
  readonly why: string;
}
const vectors = JSON.parse(readFileSync(new URL("../vectors/cbor.json", import.meta.url), "utf8")) as {
  readonly appendixA: readonly Good[];
  readonly more: readonly Good[];
  readonly bad: readonly Bad[];
};

describe("CBOR vectors", () => {
  for (const part of ["appendixA", "more"] as const) {
    it(`${part}: decoding gives the value`, () => {
      for (const { bytes, value } of vectors[part]) {
        // Several times: the tables of known keys must not change what is read.
        for (let round = 0; round < 40; round++) assert.deepStrictEqual(decodeHex(bytes), fromJson(value), bytes);
      }
    });

    it(`${part}: encoding the value gives the bytes, where they are the preferred ones`, () => {
      for (const { bytes, value, exact } of vectors[part]) {
        const hex = encodeHex(fromJson(value));
        if (exact === false) assert.ok(hex !== bytes, `${bytes} is exact`);
        else assert.equal(hex, bytes);
        assert.deepStrictEqual(decodeHex(hex), fromJson(value), bytes);
      }
    });

    it(`${part}: every shorter input is truncated`, () => {
      for (const { bytes } of vectors[part]) {
        for (let size = 0; size < bytes.length / 2; size++) {
          assert.throws(
            () => decodeHex(bytes.slice(0, 2 * size)),
            (error) => isCodecError(error) && error.code === "truncated",
            `${bytes} cut to ${size}`,
          );
        }
      }
    });
  }

  it("ill-formed and invalid input is refused with its code, also inside of something, with offset and path", () => {
    for (const { bytes, code, why } of vectors.bad) {
      for (const [before, path] of [
        ["", "$"],
        ["82f6", "$[1]"],
        ["a16161", "$.a"],
        ["d82a81", "$[0]"],
        ["bf616101616281", "$.b[0]"],
      ] as const) {
        assert.throws(
          () => decodeHex(before + bytes),
          (error) => {
            assert.ok(isCodecError(error), `${before}${bytes}: ${String(error)}`);
            const offset = error.offset as number;
            assert.equal(error.code, code, `${before}${bytes} (${why}): ${error}`);
            assert.ok(offset >= 0 && offset <= (before + bytes).length / 2, `${before}${bytes}: offset ${offset}`);
            // A container that ends too early may notice it before its last element does.
            if (code === "truncated") return true;
            assert.ok(offset >= before.length / 2, `${before}${bytes}: offset ${offset}`);
            assert.ok(error.path.startsWith(path), `${before}${bytes}: path ${error.path}`);
            return true;
          },
        );
      }
    }
  });

  it("every ill-formed example of Appendix F is refused, with a reason that suits its heading", () => {
    // RFC 8949, appendix F.1, as printed there. Keys that are equal as well may be noticed first.
    const examples: Readonly<Record<string, string>> = {
      "18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000": "truncated",
      "41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203": "truncated",
      "81 818181818181818181 8200 a1 a20102 a100 a2000000 c0 5f4100 7f6100": "truncated",
      "9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff": "truncated",
      "1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe": "malformed",
      "f800 f801 f818 f81f": "malformed",
      "5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff 5f5f4100ffff 7f7f6100ffff": "malformed",
      "ff 81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff bf00ff bf000000ff": "malformed",
      "1f 3f df": "malformed",
    };
    for (const [list, code] of Object.entries(examples)) {
      for (const bytes of list.split(" ")) {
        assert.throws(
          () => decodeHex(bytes),
          (error) => {
            assert.ok(isCodecError(error), `${bytes}: ${String(error)}`);
            // Where it is both, either will do: a count that the bytes left cannot hold is seen before its elements.
            assert.ok(error.code === code || error.code === "truncated", `${bytes}: ${error}`);
            return true;
          },
        );
      }
    }
  });

  it("the vectors hold every example of Appendix A", () => {
    assert.equal(vectors.appendixA.length, 81);
  });
});
