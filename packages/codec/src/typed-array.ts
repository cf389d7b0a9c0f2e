import { makeCodec } from "./codec.ts";
import { tagOf } from "./codec-error.ts";
import { expected, truncated } from "./fault.ts";
import { ELEMENT_BYTES } from "./kinds.ts";
import type { Def, Node } from "./node.ts";
import type { Codec } from "./types.ts";
import { copyOf } from "./values.ts";

/** A constructor such as `Float64Array`. */
export interface TypedArrayConstructor<A extends ArrayBufferView> {
  new (length: number): A;
  readonly name: string;
  readonly prototype: A;
}

interface AnyTypedArray extends ArrayBufferView {
  readonly length: number;
}

/**
 * A typed array, copied as memory in one go: little-endian, so the machine must be.
 *
 * @throws TypeError for a constructor that is none of the eleven typed arrays
 */
export function typedArray<A extends ArrayBufferView>(type: TypedArrayConstructor<A>): Codec<A, A> {
  const name = (type as { name?: unknown } | undefined)?.name;
  if (typeof name !== "string" || !Object.hasOwn(ELEMENT_BYTES, name)) {
    throw new TypeError("typedArray takes a constructor such as Float64Array");
  }
  return makeCodec<Codec<A, A>>(typedArrayDef(name));
}

export function typedArrayDef(name: string): Def {
  const node = typedArrayNode(name);
  const def: Def = {
    kind: "typedArray",
    build: () => node,
    describe: (schemas) => schemas.composite(def, "typedArray", () => ({ of: name })),
  };
  return def;
}

/** The node of a typed array, for the resolver too. */
export interface TypedArrayNode extends Node {
  readonly name: string;
}

function typedArrayNode(name: string): TypedArrayNode {
  const size = ELEMENT_BYTES[name] as number;
  const type = (globalThis as unknown as Record<string, new (b: ArrayBufferLike) => unknown>)[name] as new (
    b: ArrayBufferLike,
  ) => unknown;
  const copyIn = (value: unknown): Uint8Array => {
    if (tagOf(value) !== name || !ArrayBuffer.isView(value)) expected(name, value);
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  };
  const view = (bytes: Uint8Array, start: number, length: number): unknown =>
    new type(copyOf(bytes, start, length * size).buffer);
  return {
    kind: "typedArray",
    name,
    of: [],
    bits: 0,
    most: 5,
    least: () => 1,
    head: () => 0,
    encode(out, value) {
      const raw = copyIn(value);
      out.leb((value as AnyTypedArray).length);
      out.writer.reserve(raw.length);
      out.writer.bytes.set(raw, out.writer.pos);
      out.writer.pos += raw.length;
    },
    decode(from) {
      const length = from.leb();
      if (length * size > from.end - from.pos) truncated();
      return view(from.bytes, from.skip(length * size), length);
    },
    genEncode(g, v) {
      const raw = g.bind(`${g.external(copyIn)}(${v})`);
      const n = g.bind(`${v}.length`);
      g.line(g.leb(n));
      g.reserve(`${n}*${size}`);
      g.line(`B.set(${raw},p);p+=${n}*${size};`);
    },
    genDecode(g) {
      const n = g.readLeb();
      g.line(`if(!(${n}*${size}<=E-p))bad();`);
      const x = g.bind(`${g.external(view)}(B,p,${n})`);
      g.line(`p+=${n}*${size};`);
      return x;
    },
  };
}
