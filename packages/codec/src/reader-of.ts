import { makeCodec } from "./codec.ts";
import { CodecError } from "./codec-error.ts";
import { toCodecError } from "./fault.ts";
import { interpretDecode } from "./interpreter.ts";
import { leaves } from "./leaves.ts";
import type { Def } from "./node.ts";
import { parseSchema } from "./parse-schema.ts";
import { planOf } from "./plan.ts";
import { resolve } from "./resolve.ts";
import { bytes } from "./scalars.ts";
import { canonical, type Schema, schemaOf } from "./schema.ts";
import type { AnyCodec, Declaration, Decoder } from "./types.ts";
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
/**
 * A decoder that gives what `codec` gives, from bytes written with another version of its schema: fields are matched by
 * name. The codec itself where the schemas say the same. A function and not a method, so that programs of one version
 * do not carry the resolution of versions.
 *
 * @throws CodecError `incompatible`, listing in words every difference that cannot be bridged, or `schema`
 */
export function readerOf<T>(codec: Readable<T>, writerSchema: Schema): Decoder<T> {
  const reader = resolveReader(codec["~def"], writerSchema);
  if (reader === undefined) return codec;
  const over = (codec as Wrapped)["~over"];
  return (over === undefined ? reader : over(reader)) as Decoder<T>;
}

/** What reads a stranger's values; nothing where both schemas say the same. */
function resolveReader(own: Declaration, schema: Schema): Decoder<unknown> | undefined {
  try {
    const writer = planOf(writerDef(schema));
    if (JSON.stringify(canonical(schemaOf(own))) === JSON.stringify(canonical(schema))) return undefined;
    const { node, problems } = resolve(writer.node, planOf(own).node);
    if (problems.length > 0)
      throw new CodecError("incompatible", `cannot read this writer's values: ${problems.join("; ")}`);
    const resolved = { ...writer, node };
    return {
      decode: (bytes, options) => interpretDecode(resolved, bytes, undefined, 0, bytes.length, options?.views === true),
      decodeFrom(reader, options) {
        const { bytes, view, pos, end } = reader;
        const value = interpretDecode(resolved, bytes, view, pos, end, options?.views === true);
        reader.pos = end;
        return value;
      },
    };
  } catch (error) {
    throw error instanceof TypeError ? error : toCodecError(error);
  }
}

/** The declaration of a schema that values are only read of. @throws CodecError `schema` */
export function writerDef(schema: Schema): Def {
  return parseSchema(schema, { ...leaves, bytes: passedOver("bytes"), any: passedOver("any") });
}

/** A type that is passed over by its size: a reader who wants it has a node of its own for it. */
function passedOver(kind: string): AnyCodec {
  const def = bytes["~def"] as Def;
  return makeCodec<AnyCodec>({
    kind,
    build: (plan) => ({ ...plan.node(def), kind, decode: (from) => from.skip(from.leb()) }),
    describe: (schemas) => def.describe(schemas),
  });
}
