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

  it("the vectors hold every example of Appendix A", () => {
    assert.equal(vectors.appendixA.length, 81);
  });
});
