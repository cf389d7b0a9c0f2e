import { toCodecError } from "./fault.ts";
import { planOf } from "./plan.ts";
import { resolveReader } from "./resolve.ts";
import { type Schema, schemaOf } from "./schema.ts";
import type { Declaration, Decoder } from "./types.ts";

/** A codec whose values go through something else after decoding, as those of `checked` do. */
interface Wrapped {
  readonly "~over"?: (decoder: Decoder<unknown>) => Decoder<unknown>;
}

/** What {@link readerOf} reads for: any codec. */
export interface Readable<T> extends Decoder<T> {
  readonly "~def": Declaration;
}

/**
 * A decoder that gives what `codec` gives, from bytes written with another version of its schema: fields are matched by
 * name. The codec itself where the schemas say the same. A function and not a method, so that programs of one version
 * do not carry the resolution of versions.
 *
 * @throws CodecError `incompatible`, listing in words every difference that cannot be bridged, or `schema`
 */
export function readerOf<T>(codec: Readable<T>, writerSchema: Schema): Decoder<T> {
  const def = codec["~def"];
  let reader: Decoder<unknown> | undefined;
  try {
    reader = resolveReader(schemaOf(def), planOf(def), writerSchema);
  } catch (error) {
    throw error instanceof TypeError ? error : toCodecError(error);
  }
  if (reader === undefined) return codec;
  const over = (codec as Wrapped)["~over"];
  return (over === undefined ? reader : over(reader)) as Decoder<T>;
}
