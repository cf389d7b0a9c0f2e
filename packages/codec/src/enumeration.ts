import { choicesOf } from "./choices.ts";
import { makeCodec } from "./codec.ts";
import { describe } from "./codec-error.ts";
import { expected, fail } from "./fault.ts";
import { MOST_CHOICES } from "./kinds.ts";
import type { Def, Node } from "./node.ts";
import type { Codec } from "./types.ts";

/** Options of {@link enumeration}. */
export interface EnumerationOptions<V extends string> {
  /** What `readerOf` gives for values that only the writer's schema has. Without it such schemas are incompatible. */
  readonly fallback?: V | undefined;
}

/** One of some strings, as an index in a few bits. */
export function enumeration<const V extends readonly string[]>(
  values: V,
  options: EnumerationOptions<V[number]> = {},
): Codec<V[number], V[number]> {
  if (!Array.isArray(values) || values.length === 0) throw new TypeError("enumeration takes a list of strings");
  for (const value of values as readonly unknown[]) {
    if (typeof value !== "string") throw new TypeError(`enumeration takes strings, got ${describe(value)}`);
  }
  if (new Set(values).size !== values.length) throw new TypeError("enumeration has a value twice");
  const { fallback } = options;
  if (fallback !== undefined && !values.includes(fallback)) {
    throw new TypeError(`enumeration has no value ${JSON.stringify(fallback)} to fall back to`);
  }
  const list = [...values];
  const node = enumerationNode(list, fallback);
  const def: Def = {
    kind: "enumeration",
    build: () => node,
    describe: (schemas) =>
      schemas.composite(def, "enumeration", () => ({ of: list, ...(fallback === undefined ? {} : { fallback }) })),
  };
  return makeCodec<Codec<V[number], V[number]>>(def);
}

/** The node of an enumeration, for the resolver too. */
export interface EnumerationNode extends Node {
  readonly kind: "enumeration";
  readonly values: readonly string[];
  readonly fallback: string | undefined;
}

export function enumerationNode(values: readonly string[], fallback: string | undefined): EnumerationNode {
  const { bits, indexOf, genIndex } = choicesOf(values);
  const inBody = values.length > MOST_CHOICES;
  const check = (value: unknown): number => {
    if (typeof value !== "string") expected("one of the enumeration", value);
    return indexOf(value, "");
  };
  const valueAt = (index: number): string =>
    values[index] ?? fail("variant", `enumeration has no value number ${index}`);
  return {
    kind: "enumeration",
    values,
    fallback,
    of: [],
    bits,
    most: inBody ? 5 : 0,
    least: () => (inBody ? 1 : 0),
    head: (_out, value) => (bits > 0 ? check(value) : 0),
    encode(out, value) {
      if (inBody) out.leb(check(value));
      else if (bits === 0) check(value);
    },
    decode: (from, head) => valueAt(inBody ? from.leb() : head),
    genHead: genIndex,
    genEncode(g, v) {
      if (bits > 0) return;
      const index = genIndex(g, v);
      if (inBody) g.line(g.leb(index));
    },
    genDecode(g, head) {
      const table = g.external(values);
      const x = g.bind(`${table}[${inBody ? g.readLeb() : head}]`);
      g.line(`if(${x}===undefined)bad();`);
      return x;
    },
  };
}
