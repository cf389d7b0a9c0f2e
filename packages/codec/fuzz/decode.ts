// Random schemas × (valid bytes, each cut, mutants of them, noise): a codec gives a value or a CodecError and nothing else,
// and the interpreter does as the compiled code does.
import assert from "node:assert/strict";
import { type Codec, interpreted, isCodecError } from "../src/index.ts";
import { below, type Random, randomCodec } from "./support/random-codec.ts";

/** Hostile inputs per schema: enough that code gets hot and is compiled for good now and then. */
const mutantsPerRound = 40;

/** One schema with one value; throws with all that is needed to see what went wrong. */
export function round(random: Random): void {
  const { codec, sample } = randomCodec(random);
  const slow = interpreted(codec);
  const value = sample();
  const encoded = explained(codec, undefined, () => {
    const bytes = codec.encode(value, { copy: true });
    assert.deepEqual(slow.encode(value, { copy: true }), bytes, "the interpreter writes other bytes");
    assert.deepStrictEqual(codec.decode(bytes), value, "the value changes on the way");
    return bytes;
  });
  for (let length = 0; length < encoded.length; length += 1 + below(random, 8)) {
    const cut = encoded.slice(0, length);
    explained(codec, cut, () => assert.ok("code" in outcome(codec, slow, cut), "a cut message decodes"));
  }
  for (let i = 0; i < mutantsPerRound; i++) {
    const mutant = mutate(random, encoded);
    explained(codec, mutant, () => outcome(codec, slow, mutant));
  }
}

/** What decoding gave; the two ways must agree, and a value must survive being sent on. */
function outcome(
  codec: Codec<unknown>,
  slow: Codec<unknown>,
  bytes: Uint8Array,
): { value: unknown } | { code: string } {
  const fast = tryDecode(codec, bytes);
  assert.deepStrictEqual(tryDecode(slow, bytes), fast, "the interpreter reads it differently");
  if ("value" in fast) {
    assert.deepStrictEqual(codec.decode(codec.encode(fast.value)), fast.value, "what was decoded cannot be sent on");
  }
  return fast;
}

function tryDecode(codec: Codec<unknown>, bytes: Uint8Array): { value: unknown } | { code: string } {
  try {
    return { value: codec.decode(bytes) };
  } catch (error) {
    if (!isCodecError(error)) throw error;
    assert.ok(error.offset !== undefined && error.offset <= bytes.length, `offset ${error.offset} of ${bytes.length}`);
    return { code: error.code };
  }
}

function mutate(random: Random, valid: Uint8Array): Uint8Array {
  const mutant = Uint8Array.from(valid);
  switch (below(random, 5)) {
    case 0:
      return random.bytes(below(random, 64));
    case 1:
      return Uint8Array.of(...mutant.subarray(0, 2000), ...random.bytes(1 + below(random, 9)));
    case 2: {
      // A piece left out.
      const from = below(random, mutant.length + 1);
      return Uint8Array.from([...mutant.subarray(0, from), ...mutant.subarray(from + 1 + below(random, 4))]);
    }
    case 3:
      if (mutant.length > 0) mutant[below(random, mutant.length)] = 0xff;
      return mutant;
    default:
      for (let i = below(random, 4); i >= 0 && mutant.length > 0; i--) {
        const at = below(random, mutant.length);
        mutant[at] = (mutant[at] ?? 0) ^ (1 << below(random, 8));
      }
      return mutant;
  }
}

/** Adds the schema and the bytes to whatever is thrown. */
function explained<T>(codec: Codec<unknown>, bytes: Uint8Array | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const input = bytes === undefined ? "" : `\nbytes: ${Buffer.from(bytes).toString("hex").slice(0, 4000)}`;
    throw new Error(`schema: ${JSON.stringify(codec.schema).slice(0, 4000)}${input}`, { cause: error });
  }
}
