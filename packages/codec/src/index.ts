// For everybody: schemas.
export { any, type CborOptions, cbor } from "./any.ts";
export { array, set } from "./array.ts";
export { Simple, Tagged } from "./cbor-tags.ts";
export { interpreted } from "./codec.ts";
export { CodecError, type CodecErrorCode, isCodecError } from "./codec-error.ts";
export { type EnumerationOptions, enumeration } from "./enumeration.ts";
export { lazy } from "./lazy.ts";
export { map, record } from "./map.ts";
export { nullable } from "./nullable.ts";
export { date, f32, f64, i8, i16, i32, i64, int, u8, u16, u32, u64, uint } from "./numbers.ts";
export { type OptionalOptions, optional } from "./optional.ts";
export { bool, bytes, string, uuid } from "./scalars.ts";
export { type StructOptions, struct } from "./struct.ts";
export { tuple } from "./tuple.ts";
export { type TypedArrayConstructor, typedArray } from "./typed-array.ts";
export { type UnionOptions, union } from "./union.ts";

// For everybody: versions, validators, other schema languages, builds without `new Function`.
export { type CheckedCodec, type CheckedTypes, checked } from "./checked.ts";
export { type CompiledModule, compileToSource, precompiled } from "./compile-to-source.ts";
export { diff, type HasDef, type SchemaDiff } from "./diff.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { codecFromSchema } from "./from-schema.ts";
export { type JsonSchema, toJsonSchema } from "./json-schema.ts";
export { type Readable, readerOf } from "./reader-of.ts";

// For libraries on top: buffers, schemas as data, types.
export type { ArrayCodec, ArrayTypes, SetCodec, SetTypes } from "./array.ts";
export type { LazyCodec, LazyTypes } from "./lazy.ts";
export type { MapCodec, MapTypes, RecordCodec, RecordTypes } from "./map.ts";
export type { NullableCodec, NullableTypes } from "./nullable.ts";
export { Reader } from "./reader.ts";
export type { CaseSchema, FieldSchema, LeafType, Schema } from "./schema.ts";
export type { StructCodec, StructTypes } from "./struct.ts";
export type { TupleCodec, TupleTypes } from "./tuple.ts";
export type {
  AnyCodec,
  Codec,
  CodecOf,
  Declaration,
  DecodeOptions,
  Decoder,
  EncodeOptions,
  Infer,
  InferInput,
  Input,
  Leaf,
  OptionalField,
  Simplify,
  StandardIssue,
  StandardProps,
  StandardResult,
  StandardSchemaV1,
  StructInput,
  StructOutput,
  Types,
} from "./types.ts";
export type { UnionCodec, UnionTypes } from "./union.ts";
export { Writer } from "./writer.ts";
