import { expected, expectedNumber, fail } from "./fault.ts";
import { leaf, type LeafSpec } from "./leaf.ts";
import { i64List, u64List } from "./list-pairs.ts";
import { fixedList } from "./lists.ts";
import type { List } from "./node.ts";
import type { LeafType } from "./schema.ts";
import { joinInt, toDate, toMs, writeInt } from "./values.ts";
import type { Codec } from "./types.ts";

/** A number that fills its bytes, by the name that `DataView` has for it. */
function fixed(
  kind: LeafType,
  size: 1 | 2 | 4 | 8,
  method: "Uint8" | "Int8" | "Uint16" | "Int16" | "Float32" | "Float64",
): Codec<number> {
  const set = `set${method}` as const;
  const get = `get${method}` as const;
  const isFloat = size > 2;
  const put = (view: DataView, pos: number, value: unknown): boolean => {
    if (typeof value !== "number") return false;
    view[set](pos, Number.isNaN(value) ? Number.NaN : value, true);
    return isFloat || view[get](pos, true) === value;
  };
  const read = (view: DataView, pos: number): number => view[get](pos, true);
  const bits = 8 * size;
  return leaf(kind, {
    least: size,
    most: size,
    // Doubles have a faster one.
    ...(size < 8 ? { list: fixedList(kind, size, put, read) } : {}),
    encode(out, value) {
      const { writer } = out;
      writer.reserve(size);
      if (!put(writer.view, writer.pos, value)) expectedNumber(kind, value);
      writer.pos += size;
    },
    decode: (from) => read(from.view, from.skip(size)),
    genEncode(g, v) {
      if (isFloat) {
        g.line(`if(typeof ${v}!=="number")bad();V.${set}(p,${v},true);`);
        // Choosing before the store would make an object of each double.
        g.line(`if(${v}!==${v})V.${set}(p,NaN,true);`);
      } else {
        const cut = method.startsWith("U") ? `(${v}&${2 ** bits - 1})` : `${v}<<${32 - bits}>>${32 - bits}`;
        g.line(`if(${cut}!==${v})bad();V.${set}(p,${v},true);`);
      }
      g.line(`p+=${size};`);
    },
    genDecode(g) {
      const x = g.bind(`V.${get}(p,true)`);
      g.line(`p+=${size};`);
      return x;
    },
  });
}

const u32Spec: LeafSpec = {
  least: 1,
  most: 5,
  encode(out, value) {
    if (typeof value !== "number" || value >>> 0 !== value) expectedNumber("u32", value);
    out.leb(value);
  },
  decode(from) {
    const value = from.leb();
    if (value > 0xffffffff) fail("range", "u32 past 2^32 - 1");
    return value;
  },
  genEncode: (g, v) => g.line(`if(${v}>>>0!==${v})bad();${g.leb(v, true)}`),
  genDecode(g) {
    const n = g.readLeb();
    g.line(`if(${n}>4294967295)bad();`);
    return n;
  },
};

const i32Spec: LeafSpec = {
  least: 1,
  most: 5,
  encode(out, value) {
    if (typeof value !== "number" || (value | 0) !== value) expectedNumber("i32", value);
    out.leb(((value << 1) ^ (value >> 31)) >>> 0);
  },
  decode(from) {
    const zigzag = from.leb();
    if (zigzag > 0xffffffff) fail("range", "i32 past 32 bits");
    return (zigzag >>> 1) ^ -(zigzag & 1);
  },
  genEncode(g, v) {
    const z = g.name();
    g.line(`if((${v}|0)!==${v})bad();const ${z}=(${v}<<1^${v}>>31)>>>0;${g.leb(z, true)}`);
  },
  genDecode(g) {
    const n = g.readLeb();
    g.line(`if(${n}>4294967295)bad();`);
    return `(${n}>>>1^-(${n}&1))`;
  },
};

const uintSpec: LeafSpec = {
  least: 1,
  most: 8,
  encode(out, value) {
    if (!Number.isSafeInteger(value) || (value as number) < 0) expectedNumber("uint", value);
    out.leb(value as number);
  },
  decode: (from) => from.leb(),
  genEncode(g, v) {
    g.line(`if(${v}>>>0!==${v}&&(!Number.isSafeInteger(${v})||${v}<0))bad();${g.leb(v, true)}`);
  },
  genDecode: (g) => g.readLeb(),
};

/** Zigzag of a 53-bit integer: the first byte holds the sign and 6 bits, so that nothing passes 2^53. */
const intSpec: LeafSpec = {
  least: 1,
  most: 9,
  encode(out, value) {
    if (!Number.isSafeInteger(value)) expectedNumber("int", value);
    out.writer.reserve(9);
    out.writer.pos = writeInt(out.writer.bytes, out.writer.pos, value as number);
  },
  decode(from) {
    const first = from.byte();
    const rest = first > 127 ? from.leb() : 0;
    return joinInt(first, rest);
  },
  genEncode(g, v) {
    g.line(`if((${v}|0)===${v}){const z=(${v}<<1^${v}>>31)>>>0;${g.leb("z")}}`);
    g.line(`else{if(!Number.isSafeInteger(${v}))bad();p=${g.external(writeInt)}(B,p,${v});}`);
  },
  genDecode(g) {
    const n = g.name();
    g.line(
      `let ${n}=B[p++];if(${n}<128)${n}=${n}>>>1^-(${n}&1);else{const h=U(p);p=P;${n}=${g.external(joinInt)}(${n},h);}`,
    );
    return n;
  },
};

/** A 64-bit integer by itself is one byte with its width and then that many bytes, as in the list of one. */
function big64(kind: "u64" | "i64", list: List): LeafSpec {
  return {
    least: 1,
    most: 17,
    list,
    encode(out, value) {
      if (typeof value !== "bigint") expected(kind, value);
      if (BigInt[kind === "u64" ? "asUintN" : "asIntN"](64, value) !== value) expected(kind, value, "range");
      list.write(out.writer, [value], 1);
    },
    decode: (from) => list.read(from, 1)[0],
    genEncode(g, v) {
      g.line(`w.pos=p;${g.external(list)}.write(w,[${v}],1);p=w.pos;`);
      g.reload();
    },
    genDecode(g) {
      const n = g.name();
      g.line(`I.pos=p;const ${n}=${g.external(list)}.read(I,1)[0];p=I.pos;`);
      return n;
    },
  };
}

const dateSpec: LeafSpec = {
  least: 1,
  most: 9,
  encode: (out, value) => intSpec.encode(out, toMs(value)),
  decode: (from) => toDate(intSpec.decode(from, 0) as number),
  genEncode(g, v) {
    g.line(`p=${g.external(writeInt)}(B,p,${g.external(toMs)}(${v}));`);
  },
  genDecode: (g) => `${g.external(toDate)}(${intSpec.genDecode(g, "")})`,
};

/** 0 to 255, one byte. */
export const u8: Codec<number> = /* @__PURE__ */ fixed("u8", 1, "Uint8");
/** 0 to 65,535, two bytes. */
export const u16: Codec<number> = /* @__PURE__ */ fixed("u16", 2, "Uint16");
/** 0 to 2^32-1, one to five bytes. */
export const u32: Codec<number> = /* @__PURE__ */ leaf("u32", u32Spec);
/** `bigint` from 0 to 2^64-1, one to nine bytes. */
export const u64: Codec<bigint> = /* @__PURE__ */ leaf("u64", /* @__PURE__ */ big64("u64", u64List));
/** -128 to 127, one byte. */
export const i8: Codec<number> = /* @__PURE__ */ fixed("i8", 1, "Int8");
/** -32,768 to 32,767, two bytes. */
export const i16: Codec<number> = /* @__PURE__ */ fixed("i16", 2, "Int16");
/** -2^31 to 2^31-1, one to five bytes. */
export const i32: Codec<number> = /* @__PURE__ */ leaf("i32", i32Spec);
/** `bigint` from -2^63 to 2^63-1, one to nine bytes. */
export const i64: Codec<bigint> = /* @__PURE__ */ leaf("i64", /* @__PURE__ */ big64("i64", i64List));
/** An integer from 0 to 2^53-1, one to eight bytes. */
export const uint: Codec<number> = /* @__PURE__ */ leaf("uint", uintSpec);
/** An integer within ±(2^53-1), one to nine bytes. */
export const int: Codec<number> = /* @__PURE__ */ leaf("int", intSpec);
/** A number rounded to 32-bit floating point, four bytes. */
export const f32: Codec<number> = /* @__PURE__ */ fixed("f32", 4, "Float32");
/** Any number, eight bytes. `-0` and `NaN` keep their value. */
export const f64: Codec<number> = /* @__PURE__ */ fixed("f64", 8, "Float64");
/** A `Date` to the millisecond. */
export const date: Codec<Date> = /* @__PURE__ */ leaf("date", dateSpec);
