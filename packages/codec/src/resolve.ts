import { CodecError } from "./codec-error.ts";
import type { Schema } from "./schema.ts";
import type { Codec, Decoder } from "./types.ts";

export function resolveReader<T>(codec: Codec<T>, writer: Schema): Decoder<T> {
  if (JSON.stringify(codec.schema) === JSON.stringify(writer)) return codec;
  throw new CodecError("incompatible", "schemas differ");
}
