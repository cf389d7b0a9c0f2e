/** Reads values of a writer's type by its name: to widen numbers, and to pass over fields that the reader does not have. */
import { absent, fail } from "./fault.ts";
import { getBits, takeBits } from "./bits.ts";
import { ELEMENT_BYTES, MOST_CHOICES } from "./kinds.ts";
import type { List, ListIn, Node } from "./node.ts";
import { headBits, type Parsed } from "./parse-schema.ts";
import type { In } from "./state.ts";
import { joinInt } from "./values.ts";

/** Readers' numbers that hold every value of a writer's. */
const WIDER: Readonly<Record<string, string>> = {
  u8: "u16 u32 u64 i16 i32 i64 uint int f32 f64",
  u16: "u32 u64 i32 i64 uint int f32 f64",
  u32: "u64 i64 uint int f64",
  uint: "u64 i64 int f64",
  u64: "",
  i8: "i16 i32 i64 int f32 f64",
  i16: "i32 i64 int f32 f64",
  i32: "i64 int f64",
  int: "i64 f64",
  i64: "",
  f32: "f64",
  f64: "",
};

const FIXED_BYTES: Readonly<Record<string, number>> = { u8: 1, i8: 1, u16: 2, i16: 2, f32: 4, f64: 8, uuid: 16 };

/** Whether a reader of `to` may be given what a writer of `from` wrote. */
export function widens(from: string, to: string): boolean {
  return (WIDER[from] ?? "").split(" ").includes(to);
}

function fixedAt(view: DataView, pos: number, kind: string): number {
  if (kind === "u8") return view.getUint8(pos);
  if (kind === "i8") return view.getInt8(pos);
  if (kind === "u16") return view.getUint16(pos, true);
  if (kind === "i16") return view.getInt16(pos, true);
  return kind === "f32" ? view.getFloat32(pos, true) : view.getFloat64(pos, true);
}

function readNumber(from: In, kind: string): number {
  const size = FIXED_BYTES[kind];
  if (size !== undefined) return fixedAt(from.view, from.skip(size), kind);
  const first = from.byte();
  if (kind === "u32" || kind === "uint") {
    from.pos--;
    return from.leb();
  }
  return joinInt(first, first > 127 ? from.leb() : 0);
}

/** Values of a dense list, one by one: for widening and skipping, where speed is not what counts. */
function readNumbers(from: ListIn, kind: string, n: number): number[] {
  const values: number[] = [];
  const take = (size: number): number => {
    if (size > from.end - from.pos) fail("truncated", "list ends inside a value");
    from.pos += size;
    return from.pos - size;
  };
  const size = FIXED_BYTES[kind];
  const { bytes, view } = from;
  let control = 0;
  for (let i = 0; i < n; i++) {
    if (size !== undefined) {
      values.push(fixedAt(view, take(size), kind));
      continue;
    }
    const grouped = kind === "u32" || kind === "i32";
    if ((i & (grouped ? 3 : 15)) === 0) control = bytes[take(1)] as number;
    const width = grouped ? ((control >> (2 * (i & 3))) & 3) + 1 : control;
    if (width < 1 || width > 7) fail("malformed", `list block of width ${width}`);
    const start = take(width);
    let value = 0;
    for (let k = width - 1; k >= 0; k--) value = value * 256 + (bytes[start + k] as number);
    if (kind === "i32") value = (value >>> 1) ^ -(value & 1);
    else if (!grouped && (bytes[start + width - 1] as number) > 127) value = signed(bytes, start, width);
    if (!Number.isSafeInteger(value) || (kind === "uint" && value < 0)) fail("range", `${kind} out of range`);
    values.push(value);
  }
  return values;
}

/** A negative number in two's complement: inverted digits, so that nothing passes 2^53 on the way. */
function signed(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let k = width - 1; k >= 0; k--) value = value * 256 + (255 - (bytes[start + k] as number));
  return -1 - value;
}

/** A node that reads the numbers of a writer's `kind`, as bigints where the reader's type wants them. */
export function widened(kind: string, toBigint: boolean): Node {
  const list: List = {
    name: kind,
    least: (n) => n * (FIXED_BYTES[kind] ?? 1),
    most: (n) => n,
    write: () => fail("type", "a resolver only reads"),
    read: (from, n) => (toBigint ? readNumbers(from, kind, n).map(BigInt) : readNumbers(from, kind, n)),
  };
  return reading(
    kind,
    0,
    FIXED_BYTES[kind] ?? 1,
    (from) => {
      const value = readNumber(from, kind);
      return toBigint ? BigInt(value) : value;
    },
    list,
  );
}

/** A node that can only read. */
export function reading(
  kind: string,
  bits: number,
  least: number,
  decode: (from: In, head: number) => unknown,
  list?: List,
): Node {
  const no = (): never => fail("type", "a resolver only reads");
  return {
    kind,
    bits,
    least: () => least,
    most: 0,
    head: no,
    encode: no,
    decode,
    list,
    of: [],
    genEncode: no,
    genDecode: no,
  };
}

/** Passes over one value. */
export function skip(from: In, node: Parsed, head: number): void {
  const { kind, of, names, optional } = node;
  const [first, second] = of as [Parsed, Parsed];
  switch (kind) {
    case "bool":
      return;
    case "string":
      from.string();
      return;
    case "bytes":
    case "any":
      from.skip(from.leb());
      return;
    case "typedArray":
      from.skip(from.leb() * (ELEMENT_BYTES[names[0] as string] as number));
      return;
    case "u64":
    case "i64":
      skipBig(from, 1);
      return;
    case "uuid":
      from.skip(16);
      return;
    case "enumeration":
      if ((names.length > MOST_CHOICES ? from.leb() : head) >= names.length) fail("variant", `no value number ${head}`);
      return;
    case "nullable":
      if ((head & 1) === 1) skip(from, first, head >> 1);
      else absent(head);
      return;
    default:
  }
  if (of.length === 0 && kind !== "struct" && kind !== "tuple") {
    readNumber(from, kind === "date" ? "int" : kind);
    return;
  }
  from.enter();
  if (kind === "union") {
    const payload = of[head] ?? fail("variant", `no case number ${head}`);
    const bits = headBits(payload);
    skip(from, payload, bits > 0 ? getBits(from.bytes, takeBits(from, bits), 0, bits) : 0);
  } else if (kind === "struct" || kind === "tuple") {
    const widths = of.map((child, i) => headBits(child) + (optional[i] ? 1 : 0));
    const start = takeBits(
      from,
      widths.reduce((a, b) => a + b, 0),
    );
    let offset = 0;
    of.forEach((child, i) => {
      const width = widths[i] as number;
      const bits = width > 0 ? getBits(from.bytes, start, offset, width) : 0;
      offset += width;
      if (!optional[i]) skip(from, child, bits);
      else if ((bits & 1) === 1) skip(from, child, bits >> 1);
      else absent(bits);
    });
  } else {
    const pair = kind === "map" ? [first, second] : [first];
    const widths = pair.map(headBits);
    const bits = widths.reduce((a, b) => a + b, 0);
    const least = bits + 8 * (kind === "record" ? 1 : 0) + 8 * pair.reduce((sum, child) => sum + leastBytes(child), 0);
    const isList = (kind === "array" || kind === "set") && first.kind in WIDER;
    const n = isList ? from.leb() : from.count(least);
    if (isList) {
      if (n > (from.end - from.pos) * 2) fail("truncated", `${n} elements do not fit`);
      if (first.kind === "u64" || first.kind === "i64") skipBig(from, n);
      else readNumbers(from, first.kind, n);
    } else {
      const start = takeBits(from, n * bits);
      for (let i = 0; i < n; i++) {
        if (kind === "record") from.string();
        let offset = i * bits;
        pair.forEach((child, k) => {
          const width = widths[k] as number;
          skip(from, child, width > 0 ? getBits(from.bytes, start, offset, width) : 0);
          offset += width;
        });
      }
    }
  }
  from.depth--;
}

function skipBig(from: In, n: number): void {
  let widths = 0;
  for (let i = 0; i < n; i++) {
    widths = (i & 1) === 0 ? from.byte() : widths >> 4;
    if ((widths & 15) > 8) fail("malformed", "impossible list width");
    from.skip(widths & 15);
  }
}

/** A lower bound: 0 for what may have no body. */
function leastBytes({ kind }: Parsed): number {
  return "bool enumeration nullable union struct tuple".includes(kind) ? 0 : 1;
}
