// The least that decodes objects without generated code: one loop over the members of a struct, all of one kind of object, and a
// switch over their types, which knows no other types than those of the data sets made of objects, and no wide text.
import { refuse } from "./floor.ts";
import type { Peer } from "./peer.ts";
import type { set } from "./setter.ts";
import type { Shape } from "./shape.ts";

type Set = typeof set;

/** As many keys as the data sets have, and some more. */
const setters: Set[] = await Promise.all(
  Array.from({ length: 32 }, async (_, i) => ((await import(`./setter.ts?lane=${i}`)) as { set: Set }).set),
);

const bool = 0;
const enumeration = 1;
const u32 = 2;
const i32 = 3;
const int = 4;
const f64 = 5;
const string = 6;
const list = 7;
const struct = 8;
const types = { bool, u32, i32, int, f64, string } as const;

/** A member, or the elements of a list. */
class Step {
  readonly name: string;
  readonly type: number;
  readonly optional: boolean;
  readonly set: Set;
  /** Where its head lies, and how wide it is. */
  readonly offset: number;
  readonly width: number;
  readonly values: readonly string[];
  readonly steps: readonly Step[];
  readonly make: new () => Record<string, unknown>;
  readonly of: Step | undefined;

  constructor(name: string, given: Shape, offset: number, set: Set, enclosing: ReadonlyMap<string, Step>) {
    const shape = given.kind === "optional" ? given.of : given;
    const known = shape.kind === "ref" ? enclosing.get(shape.name) : undefined;
    this.name = name;
    this.optional = given.kind === "optional";
    this.set = set;
    this.offset = offset;
    this.values = shape.kind === "enum" ? shape.values : [];
    this.width = (shape.kind === "bool" ? 1 : bitsFor(this.values.length)) + (this.optional ? 1 : 0);
    const steps: Step[] = known === undefined ? [] : (known.steps as Step[]);
    this.steps = steps;
    this.make = known?.make ?? maker();
    this.of = undefined;
    if (shape.kind === "struct") {
      this.type = struct;
      const within = new Map([...enclosing, [shape.name, this as Step]]);
      let bits = 0;
      for (const [key, field] of Object.entries(shape.fields)) {
        const step = new Step(key, field, bits, setters[taken++ % setters.length] as Set, within);
        bits += step.width;
        steps.push(step);
      }
    } else if (shape.kind === "list") {
      this.type = list;
      this.of = new Step("", shape.of, 0, set, enclosing);
    } else if (shape.kind === "ref") this.type = struct;
    else if (shape.kind === "enum") this.type = enumeration;
    else this.type = types[shape.kind as keyof typeof types];
  }
}

let taken = 0;

/** A constructor of its own for each struct, of objects with room for their keys. */
function maker(): Step["make"] {
  const made = function (this: Record<string, unknown>, never: unknown): void {
    if (never) this["a"] = this["a"] = this["a"] = this["a"] = this["a"] = this["a"] = this["a"] = this["a"] = 0;
  };
  made.prototype = Object.prototype;
  return made as unknown as Step["make"];
}

function bitsFor(count: number): number {
  return count === 0 ? 0 : Math.ceil(Math.log2(count));
}

let bytes: Buffer;
/** Made when a value first needs it. */
let view: DataView | undefined;
let pos = 0;
/** Where the data ends. */
let end = 0;
/** All text, and what of it was taken. */
let text = "";
let at = 0;

function leb(): number {
  const first = bytes[pos++] as number;
  if (first < 128) return first;
  let value = first & 127;
  for (let scale = 128; scale < 2 ** 53; scale *= 128) {
    const byte = bytes[pos++] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return byte === 0 || value > Number.MAX_SAFE_INTEGER ? refuse() : value;
  }
  return refuse();
}

function readValue(step: Step, head: number, depth: number): unknown {
  switch (step.type) {
    case bool:
      return head === 1;
    case enumeration:
      return step.values[head] ?? refuse();
    case u32: {
      const value = leb();
      return value > 0xffffffff ? refuse() : value;
    }
    case i32: {
      const value = leb();
      return value > 0xffffffff ? refuse() : (value >>> 1) ^ -(value & 1);
    }
    case int: {
      const first = bytes[pos++] as number;
      const rest = first > 127 ? leb() : 0;
      const size = ((first & 127) >> 1) + rest * 64;
      if (!Number.isSafeInteger(size) || (first > 127 && rest === 0)) refuse();
      return (first & 1) === 1 ? -1 - size : size;
    }
    case f64:
      pos += 8;
      view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return view.getFloat64(pos - 8, true);
    case string: {
      const size = leb();
      const start = at;
      at += size >>> 1;
      if ((size & 1) === 1 || at > text.length) refuse();
      return text.substring(start, at);
    }
    case list: {
      const count = leb();
      if (count > end - pos) refuse();
      const items = new Array<unknown>(count);
      for (let i = 0; i < count; i++) items[i] = readValue(step.of as Step, 0, depth);
      return items;
    }
    default:
      return readStruct(step, depth + 1);
  }
}

function readStruct({ steps, make }: Step, depth: number): unknown {
  if (depth > 512) refuse();
  const start = pos;
  const last = steps[steps.length - 1] as Step;
  const bits = last.offset + last.width;
  pos += (bits + 7) >> 3;
  if ((bits & 7) !== 0 && (bytes[pos - 1] as number) >> (bits & 7) !== 0) refuse();
  const value = new make();
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step;
    const { width, offset } = step;
    let head = 0;
    if (width > 0) {
      const from = start + (offset >> 3);
      head = (((bytes[from] as number) | ((bytes[from + 1] as number) << 8)) >> (offset & 7)) & ((1 << width) - 1);
      if (step.optional) {
        if (head === 0) continue;
        head >>= 1;
      }
    }
    step.set(value, step.name, readValue(step, head, depth));
  }
  return value;
}

function readMessage(root: Step, message: Buffer): unknown {
  bytes = message;
  view = undefined;
  const size = message.length;
  let units = message[size - 1] as number;
  end = size - 1;
  if (units > 127) {
    units = (units & 127) | ((message[--end] as number) << 7);
    if (units > 127 * 128 + 127) units = (units & 16_383) | ((message[--end] as number) << 14);
  }
  if ((units & 1) === 1 || units > 2 * end) refuse();
  end -= units >> 1;
  text = message.latin1Slice(end, end + (units >> 1));
  pos = at = 0;
  const value = readValue(root, 0, 0);
  if (pos !== end || at !== text.length) refuse();
  return value;
}

/** The floor for a data set of which no text is wide; there is none for others. */
export function interpreterFloor(name: string, pipit: Peer): Peer {
  return {
    name,
    prepare(shape, value) {
      const ours = pipit.prepare(shape, value);
      if (ours === undefined) return undefined;
      const root = new Step("", shape, 0, setters[0] as Set, new Map());
      const decode = (message: Uint8Array): unknown => readMessage(root, message as Buffer);
      try {
        decode(Buffer.from(ours.encode(ours.input as never)));
      } catch {
        return undefined;
      }
      return { ...ours, decode };
    },
  };
}
