import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { any, array, cbor, fingerprintOf, Simple, struct, Tagged } from "../src/index.ts";
import { engines } from "./engines.ts";

const sorting = cbor({ deterministic: true });
const there = { b: 1, aa: [{ z: null, y: true }] };
const back = { aa: [{ y: true, z: null }], b: 1 };

for (const engine of engines) {
  describe(`${engine.name}: cbor`, () => {
    it("deterministic gives equal values equal bytes, alone and inside a schema", () => {
      for (const codec of [engine.of(sorting), engine.of(struct({ value: sorting }))]) {
        const bytes = codec.encode({ value: there });
        assert.deepEqual(codec.encode({ value: back }), bytes);
        assert.deepEqual(codec.decode(bytes), { value: there });
      }
    });

    it("keeps the order of the value unless told, beside one that sorts", () => {
      const codec = engine.of(struct({ plain: any, sorted: sorting, other: cbor({}) }));
      const { plain, sorted, other } = codec.decode(codec.encode({ plain: back, sorted: back, other: back }));
      assert.deepEqual(
        [plain, sorted, other].map((value) => Object.keys(value as object)),
        [
          ["aa", "b"],
          ["b", "aa"],
          ["aa", "b"],
        ],
      );
    });

    it("any reads it, and it reads any: their schema is one", () => {
      assert.equal(fingerprintOf(engine.of(sorting)), fingerprintOf(any));
      assert.deepEqual(engine.of(any).decode(engine.of(sorting).encode(there)), there);
      assert.deepEqual(engine.of(array(sorting)).decode(engine.of(array(any)).encode([there])), [there]);
    });

    it("tags and simple values without a meaning come back as what they were", () => {
      const read = engine.of(any).decode(engine.of(any).encode([new Tagged(1234, "x"), new Simple(99)]));
      assert.deepEqual(read, [new Tagged(1234, "x"), new Simple(99)]);
    });
  });
}
