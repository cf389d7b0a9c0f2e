import { CodecError, fieldSegment } from "./codec-error.ts";
import type { Reader } from "./reader.ts";
import type { Codec, CodecOf, DecodeOptions, Decoder, StandardIssue, StandardSchemaV1, Types } from "./types.ts";

/** Types of a checked codec: takes what the codec takes, gives what the validator gives. */
export interface CheckedTypes<X extends Types, S> {
  readonly output: S extends { readonly "~standard": { readonly types?: { readonly output: infer O } | undefined } }
    ? O
    : never;
  readonly input: X["input"];
}

/** A codec whose decoded values went through a validator. */
export interface CheckedCodec<X extends Types, S> extends CodecOf<CheckedTypes<X, S>> {}

/** A codec that may be a checked one itself: `readerOf` puts what `~over` does on top of its decoder. */
interface Inner extends Codec<unknown, unknown> {
  readonly "~over"?: (decoder: Decoder<unknown>) => Decoder<unknown>;
}

/**
 * Decodes, then validates with any synchronous Standard Schema (Zod, Valibot, ArkType): bytes and schema are those of the
 * codec, values are those of the validator. Encoding is not validated: it is the receiver who must not trust.
 *
 * @throws CodecError `invalid` with the first issue and its path, when decoding meets a value that the validator refuses
 * @throws TypeError when the validator turns out to be asynchronous
 */
export function checked<X extends Types, S extends StandardSchemaV1>(codec: CodecOf<X>, schema: S): CheckedCodec<X, S> {
  const inner = codec as unknown as Inner;
  const { validate } = schema["~standard"];
  const check = (value: unknown): unknown => {
    const result = validate(value);
    if (result instanceof Promise) throw new TypeError("checked takes a synchronous Standard Schema");
    if (result.issues === undefined) return result.value;
    const [issue] = result.issues;
    throw new CodecError("invalid", issue?.message ?? "refused by the validator", pathOf(issue));
  };
  const over = (decoder: Decoder<unknown>): Decoder<unknown> => ({
    decode: (bytes: Uint8Array, options?: DecodeOptions) => check(decoder.decode(bytes, options)),
    decodeFrom: (reader: Reader, options?: DecodeOptions) => check(decoder.decodeFrom(reader, options)),
  });
  const both: Omit<Inner, "~types"> = {
    ...over(inner),
    encode: (value, options) => inner.encode(value, options),
    encodeTo: (writer, value) => inner.encodeTo(writer, value),
    is: (value): value is unknown => inner.is(value) && (validate(value) as { issues?: unknown }).issues === undefined,
    get schema() {
      return inner.schema;
    },
    get "~standard"() {
      return { ...inner["~standard"], validate: (value: unknown) => validateBoth(inner, validate, value) };
    },
    "~def": inner["~def"],
    "~over": (decoder) => over(inner["~over"]?.(decoder) ?? decoder),
  };
  return both as unknown as CheckedCodec<X, S>;
}

function validateBoth(
  inner: Codec<unknown>,
  validate: StandardSchemaV1["~standard"]["validate"],
  value: unknown,
): never {
  const result = inner["~standard"].validate(value) as { value: unknown; issues?: readonly StandardIssue[] };
  return (result.issues === undefined ? validate(result.value) : result) as never;
}

function pathOf(issue: StandardIssue | undefined): string {
  let path = "$";
  for (const part of issue?.path ?? []) {
    const key = typeof part === "object" ? part.key : part;
    path += typeof key === "number" ? `[${key}]` : fieldSegment(String(key));
  }
  return path;
}
