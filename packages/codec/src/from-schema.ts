import { any } from "./any.ts";
import { makeCodec } from "./codec.ts";
import { toCodecError } from "./fault.ts";
import { leaves } from "./leaves.ts";
import { parseSchema } from "./parse-schema.ts";
import { planOf } from "./plan.ts";
import type { Schema } from "./schema.ts";
import type { Codec } from "./types.ts";

/**
 * The codec of a schema that came from elsewhere: reads and writes what the codec it was taken from does, with the same
 * fingerprint. It is always interpreted, since a stranger's names must not become code.
 *
 * @throws CodecError `schema` when it is not one, or past 64 KiB, 4,096 nodes or 64 levels
 */
export function codecFromSchema(schema: Schema): Codec<unknown> {
  const def = parseSchema(schema, { ...leaves, any });
  try {
    planOf(def);
  } catch (error) {
    // A schema may be nothing but itself, which shows only when all of it is there.
    throw toCodecError(error);
  }
  return makeCodec<Codec<unknown>>(def);
}
