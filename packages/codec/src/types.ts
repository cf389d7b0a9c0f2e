import type { Reader } from "./reader.ts";
import type { Schema } from "./schema.ts";
import type { Writer } from "./writer.ts";

/**
 * How a codec was declared, of which only this package knows more. So little, as two copies of the package may meet: what
 * they make must be one type.
 */
export interface Declaration {
  readonly kind: string;
}

/** What a codec decodes to, and what it accepts for encoding. */
export interface Types {
  readonly output: unknown;
  readonly input: unknown;
}

/** Options of `encode`. */
export interface EncodeOptions {
  /**
   * `true` gives bytes in a buffer of their own. By default messages are views on slabs that they share (never rewritten),
   * which is faster, but one kept message keeps its slab alive: up to 64 KiB and 64 times its size.
   */
  readonly copy?: boolean | undefined;
}

/** Options of `decode`. */
export interface DecodeOptions {
  /**
   * `true` gives `bytes` values as views on the input: no copy, but they change if the input buffer is used again, and
   * keep it alive. By default they are copies.
   */
  readonly views?: boolean | undefined;
}

/** What `readerOf` gives: reads bytes that another version of the schema wrote. */
export interface Decoder<T> {
  /** @throws {@link CodecError} when `bytes` is not exactly one message of the writer's schema */
  decode(bytes: Uint8Array, options?: DecodeOptions): T;
  /** Decodes one message that fills `reader.pos..reader.end` exactly. */
  decodeFrom(reader: Reader, options?: DecodeOptions): T;
}

/**
 * A codec, described by an interface of its types. An interface argument is resolved lazily, which is what lets a
 * struct mention itself; `Codec<T>` is the form people write.
 */
export interface CodecOf<X extends Types> {
  /**
   * The bytes of `value`. Equal values of one schema give equal bytes, whatever was encoded before.
   *
   * @throws {@link CodecError} naming the path of what does not fit
   */
  encode(value: X["input"], options?: EncodeOptions): Uint8Array;
  /** @throws {@link CodecError} when `bytes` is not exactly one valid message */
  decode(bytes: Uint8Array, options?: DecodeOptions): X["output"];
  /** Appends what `encode` would give at `writer.pos`. After an error `writer.pos` is where it was. */
  encodeTo(writer: Writer, value: X["input"]): void;
  /** Decodes one message that fills `reader.pos..reader.end` exactly, and leaves `reader.pos` at its end. */
  decodeFrom(reader: Reader, options?: DecodeOptions): X["output"];
  /** Whether `value` is one that `decode` could have given (unknown keys are ignored). */
  is(value: unknown): value is X["output"];
  /** The schema as plain data that survives JSON. */
  readonly schema: Schema;
  /** Standard Schema v1: validates what `encode` accepts, and gives what the other side would decode. */
  readonly "~standard": StandardProps<X["input"], X["output"]>;
  /** For inference only: absent at run time. */
  readonly "~types": X;
  /** How this codec is built: for this package only. */
  readonly "~def": Declaration;
}

/** A codec: `encode` takes `I`, `decode` gives `T`. `I` is `T` with readonly containers and absent or `undefined` optional keys. */
export interface Codec<T, I = Input<T>> extends CodecOf<{ readonly output: T; readonly input: I }> {}

/** What `optional` gives: only the field of a struct may be one. */
export interface OptionalField<C, M extends true | "input"> {
  readonly "~types": { readonly output: Infer<C>; readonly input: InferInput<C> };
  readonly "~optional": M;
  readonly "~def": Declaration;
}

/** What may stand inside containers: any codec, but no `optional`. */
export interface AnyCodec {
  readonly "~types": Types;
  readonly "~def": Declaration;
  readonly "~optional"?: never;
}

/** Standard Schema v1, the part that this package reads and gives. */
export interface StandardSchemaV1<I = unknown, O = I> {
  readonly "~standard": StandardProps<I, O>;
}

/** The `~standard` member of Standard Schema v1. */
export interface StandardProps<I = unknown, O = I> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<O> | Promise<StandardResult<O>>;
  readonly types?: { readonly input: I; readonly output: O } | undefined;
}

/** What a Standard Schema's `validate` gives. */
export type StandardResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that a Standard Schema found wrong. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a codec (or Standard Schema) decodes to. */
export type Infer<C> = C extends { readonly "~types": { readonly output: unknown } }
  ? C["~types"]["output"]
  : C extends { readonly "~standard": { readonly types?: infer S | undefined } }
    ? S extends { readonly output: infer O }
      ? O
      : never
    : never;

/** What a codec accepts for encoding (or a Standard Schema for validation). */
export type InferInput<C> = C extends { readonly "~types": { readonly input: unknown } }
  ? C["~types"]["input"]
  : C extends { readonly "~standard": { readonly types?: infer S | undefined } }
    ? S extends { readonly input: infer I }
      ? I
      : never
    : never;

/** Types that are the same for encoding and decoding. */
export type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | ArrayBufferView
  | ((...args: never[]) => unknown);

/** `T` as encoding accepts it: readonly containers, optional keys also `undefined`. */
export type Input<T> = unknown extends T
  ? T
  : T extends Leaf
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<Input<K>, Input<V>>
      : T extends ReadonlySet<infer V>
        ? ReadonlySet<Input<V>>
        : T extends readonly unknown[]
          ? { readonly [K in keyof T]: Input<T[K]> }
          : { readonly [K in keyof T]: {} extends Pick<T, K> ? Input<T[K]> | undefined : Input<T[K]> };

/** Flattens an intersection, so that editors show one object. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {};

interface Opt<M> {
  readonly "~optional": M;
}

/** What a struct of fields `F` decodes to. */
export type StructOutput<F> = Simplify<
  { -readonly [K in keyof F as F[K] extends Opt<true> ? never : K]: Infer<F[K]> } & {
    -readonly [K in keyof F as F[K] extends Opt<true> ? K : never]?: Infer<F[K]>;
  }
>;

/** What a struct of fields `F` accepts. */
export type StructInput<F> = Simplify<
  { readonly [K in keyof F as F[K] extends Opt<true | "input"> ? never : K]: InferInput<F[K]> } & {
    readonly [K in keyof F as F[K] extends Opt<true | "input"> ? K : never]?: InferInput<F[K]> | undefined;
  }
>;
