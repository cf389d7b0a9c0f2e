import { objectsIn, readCbor } from "../src/cbor-decode.ts";
import { type CborEncodeOptions, encodeCbor } from "../src/cbor-encode.ts";
import { Simple, Tagged } from "../src/cbor-tags.ts";
import { toCodecError } from "../src/fault.ts";
import { Reader } from "../src/reader.ts";
import { Writer } from "../src/writer.ts";

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

export function encode(value: unknown, options?: CborEncodeOptions): Uint8Array {
  const writer = new Writer();
  encodeCbor(writer, value, options);
  return writer.take();
}

export function encodeHex(value: unknown, options?: CborEncodeOptions): string {
  return toHex(encode(value, options));
}

/** Limits of {@link decodeCbor}, which messages get by their size. */
export interface CborDecodeOptions {
  /** Levels of arrays, maps and tags inside each other. */
  readonly maxDepth?: number | undefined;
  /** Objects, arrays, byte strings, dates and other values with memory of their own. */
  readonly maxObjects?: number | undefined;
  /** Byte strings are views on the input rather than copies. Default `false`. */
  readonly views?: boolean | undefined;
}

/** One item. @throws CodecError; `reader.pos` is then where it was */
export function decodeCbor(reader: Reader, options: CborDecodeOptions = {}): unknown {
  const { bytes, view, pos, end } = reader;
  const input = { bytes, view, pos, objects: options.maxObjects ?? objectsIn(end - pos) };
  try {
    const value = readCbor(input, end, options.views === true, options.maxDepth);
    reader.pos = input.pos;
    return value;
  } catch (error) {
    throw toCodecError(error, input.pos - pos);
  }
}

/** Decodes all of `bytes`, and throws where some are left. They lie amid others that would pass for small integers. */
export function decode(bytes: Uint8Array, options?: CborDecodeOptions): unknown {
  const slab = new Uint8Array(bytes.length + 16).fill(1);
  slab.set(bytes, 3);
  const reader = new Reader(slab, 3, 3 + bytes.length);
  const value = decodeCbor(reader, options);
  if (reader.pos !== reader.end) throw new Error(`${reader.end - reader.pos} bytes left over`);
  return value;
}

export function decodeHex(hex: string, options?: CborDecodeOptions): unknown {
  return decode(fromHex(hex), options);
}

/** Values that JSON lacks, by the name that stands for them in the vectors. */
const FROM_JSON: Readonly<Record<string, (content: never) => unknown>> = {
  $bigint: (text: string) => BigInt(text),
  $number: (text: string) => Number(text),
  $bytes: (hex: string) => fromHex(hex),
  $date: (text: string) => new Date(text),
  $tag: ([tag, value]: [number | bigint, unknown]) => new Tagged(tag, value),
  $simple: (value: number) => new Simple(value),
  $map: (entries: [unknown, unknown][]) => new Map(entries),
  $set: (values: unknown[]) => new Set(values),
  $undefined: () => undefined,
  $array: ([name, ...elements]: [string, ...number[]]) =>
    (globalThis as unknown as Record<string, { from(elements: number[]): unknown }>)[name]?.from(elements),
};

/** The value that a JSON value of the vectors stands for. */
export function fromJson(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const entries = Object.entries(json);
  const make = FROM_JSON[entries[0]?.[0] ?? ""];
  if (make !== undefined) return make(fromJson(entries[0]?.[1]) as never);
  return Object.fromEntries(entries.map(([key, value]) => [key, fromJson(value)]));
}
