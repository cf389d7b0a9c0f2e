import {
  type AnyCodec,
  type Codec,
  any,
  array,
  bool,
  bytes,
  enumeration,
  f64,
  i32,
  int,
  interpreted,
  lazy,
  optional,
  record,
  string,
  struct,
  u32,
  u64,
} from "@pipit/codec";
import type { Peer, Prepared } from "./peer.ts";
import { type Shape, convert } from "./shape.ts";

/** Names under which Pipit stands in the results. */
export const pipitName = "pipit";

/** By schema, compiled. */
export const pipit: Peer = {
  name: pipitName,
  prepare(shape, value) {
    const codec = codecOf(shape) as Codec<unknown>;
    return shape.kind === "bytes" ? asView(value, codec) : prepared(value, codec);
  },
};

/** The same format without generated code. */
export const pipitInterpreted: Peer = {
  name: pipitName,
  prepare: (shape, value) => prepared(value, interpreted(codecOf(shape)) as Codec<unknown>),
};

/** Without a schema: CBOR. */
export const pipitAny: Peer = {
  name: pipitName,
  prepare: (shape, value) => ({
    ...(shape.kind === "bytes" ? asView : prepared)(value, any as unknown as Codec<unknown>),
    restore: (decoded) => convert(shape, decoded, { u64: (item: number | bigint) => BigInt(item), int: Number }),
  }),
};

function prepared(value: unknown, codec: Codec<unknown>): Prepared {
  return {
    input: value,
    encode: (input: unknown) => codec.encode(input),
    decode: (encoded) => codec.decode(encoded),
  };
}

/** Peers give a blob as a view on the input, so the same is asked of us. */
function asView(value: unknown, codec: Codec<unknown>): Prepared {
  return { ...prepared(value, codec), decode: (encoded) => codec.decode(encoded, { views: true }) };
}

const leaves = { bool, u32, i32, int, f64, u64, string, bytes };

/** The codec of a shape; `enclosing` are the structs around this place. */
export function codecOf(shape: Shape, enclosing: ReadonlyMap<string, () => AnyCodec> = new Map()): AnyCodec {
  switch (shape.kind) {
    case "list":
      return array(codecOf(shape.of, enclosing));
    case "record":
      return record(codecOf(shape.of, enclosing));
    case "enum":
      return enumeration(shape.values);
    case "ref":
      return lazy(enclosing.get(shape.name) ?? (() => unknownName(shape.name)));
    case "optional":
      throw new Error("Only the field of a struct is optional");
    case "struct": {
      const within = new Map([...enclosing, [shape.name, (): AnyCodec => made]]);
      const fields = Object.entries(shape.fields).map(([name, field]) => [
        name,
        field.kind === "optional" ? optional(codecOf(field.of, within)) : codecOf(field, within),
      ]);
      const made = struct(Object.fromEntries(fields) as Record<string, AnyCodec>) as AnyCodec;
      return made;
    }
    default:
      return leaves[shape.kind];
  }
}

function unknownName(name: string): never {
  throw new Error(`No struct called ${name} encloses a reference to it`);
}
