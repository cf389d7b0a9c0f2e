import { CodecError } from "./codec-error.ts";

/** Tags of RFC 8949 section 3.4 and of the registry of CBOR tags that have a JavaScript value of their own. */
export const TAG_DATE_TEXT = 0;
export const TAG_DATE_SECONDS = 1;
export const TAG_BIGNUM = 2;
export const TAG_NEGATIVE_BIGNUM = 3;
/** A set: an array whose elements are all different. */
export const TAG_SET = 258;
/** A map whose keys may be anything: a JavaScript `Map` even when all its keys are text. */
export const TAG_MAP = 259;
/** Says only "this is CBOR" (RFC 8949 section 3.4.6); the value is what lies inside. */
export const TAG_SELF_DESCRIBED = 55799;
/** Typed arrays are 64 to 87 (RFC 8746 section 2): kind and size of the elements are in the lower five bits. */
export const TAG_TYPED_ARRAY = 64;

/** Levels of arrays, maps and tags inside each other that are written and read. */
export const CBOR_MAX_DEPTH = 512;
/** Bytes of an integer past 64 bits: arithmetic on very large ones is slow enough to be an attack. */
export const CBOR_MAX_BIGNUM_BYTES = 1024;

/**
 * A tag without a JavaScript value of its own, as read, and what to encode to write one. The content is encoded as it
 * is: whether it suits the tag is the caller's affair.
 */
export class Tagged {
  /** The tag number, 0 to 2^64−1: a `bigint` only above 2^53−1. */
  declare readonly tag: number | bigint;
  /** What the tag encloses. */
  declare readonly value: unknown;

  /** @throws CodecError `range` when `tag` is not an integer from 0 to 2^64−1 */
  constructor(tag: number | bigint, value: unknown) {
    if (typeof tag === "bigint" ? BigInt.asUintN(64, tag) !== tag : !Number.isSafeInteger(tag) || tag < 0) {
      throw new CodecError("range", `expected a tag from 0 to 2^64-1, got ${tag}`);
    }
    this.tag = tag;
    this.value = value;
  }
}

/** A simple value of RFC 8949 section 3.3 that has no meaning yet. */
export class Simple {
  /** 0 to 19 or 32 to 255: the ones between are `false`, `true`, `null`, `undefined`, or reserved. */
  declare readonly value: number;

  /** @throws CodecError `range` when `value` is not a simple value without a meaning */
  constructor(value: number) {
    if (!Number.isInteger(value) || value < 0 || value > 255 || (value > 19 && value < 32)) {
      throw new CodecError("range", `expected a simple value of 0 to 19 or 32 to 255, got ${value}`);
    }
    this.value = value;
  }
}

/** Makes a typed array over memory of its own. */
export interface AnyTypedArrayConstructor {
  new (buffer: ArrayBufferLike): ArrayBufferView;
  readonly name: string;
}

/** Bit 2 of the tags of typed arrays with elements of several bytes. */
const LITTLE_ENDIAN = 4;
/** Whether this machine keeps numbers the way that {@link LITTLE_ENDIAN} says. */
const isLittleEndian: boolean = /* @__PURE__ */ (() => new Uint8Array(Uint16Array.of(1).buffer)[0] === 1)();

/**
 * Typed arrays by tag − 64. Missing: 76, which is reserved, float128 (83 and 87), and float16 (80 and 84) where the
 * runtime has no such array.
 */
export const TYPED_ARRAYS: readonly (AnyTypedArrayConstructor | undefined)[] = /* @__PURE__ */ Array.from(
  { length: 24 },
  (_, tag) =>
    tag === 12 ? undefined : (globalThis as unknown as Record<string, AnyTypedArrayConstructor>)[nameOf(tag)],
);

/** Bits of a tag are 0b010fsell: float, signed, little endian, size. */
function nameOf(tag: number): string {
  if (tag === 4) return "Uint8ClampedArray";
  const bits = 8 * elementBytes(tag);
  return `${tag & 16 ? "Float" : `${bits > 32 ? "Big" : ""}${tag & 8 ? "Int" : "Uint"}`}${bits}Array`;
}

/** Bytes of an element. */
export function elementBytes(tag: number): number {
  return (tag & 16 ? 2 : 1) << (tag & 3);
}

/** Changes elements between the byte order of `tag` and that of this machine, in place. */
export function orderBytes(bytes: Uint8Array, tag: number): void {
  const size = elementBytes(tag);
  if (size === 1 || ((tag & LITTLE_ENDIAN) !== 0) === isLittleEndian) return;
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}
