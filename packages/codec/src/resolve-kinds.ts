/** How each type with children, or with names, reads another version of itself. Types without either need nothing. */
import { arrayNode } from "./array.ts";
import { decodeAlone } from "./bits.ts";
import { type EnumerationNode, quoted } from "./enumeration.ts";
import { fail, within } from "./fault.ts";
import { reading } from "./foreign.ts";
import { indexBits, MOST_CHOICES } from "./kinds.ts";
import { pairsNode } from "./map.ts";
import type { Node } from "./node.ts";
import { nullableNode } from "./nullable.ts";
import type { Parsed } from "./parse-schema.ts";
import { resolveStruct } from "./resolve-struct.ts";
import type { Resolution } from "./resolve.ts";
import { tupleNode } from "./tuple.ts";
import type { TypedArrayNode } from "./typed-array.ts";
import type { UnionNode } from "./union.ts";

type Resolve = (w: Parsed, reader: Node, resolution: Resolution, path: string) => Node;

/** Resolution of a reader's node against a writer's of the same kind. */
export const resolveByKind: ReadonlyMap<string, Resolve> = /* @__PURE__ */ new Map<string, Resolve>([
  ["array", resolveItems],
  ["set", resolveItems],
  ["map", resolvePairs],
  ["record", resolvePairs],
  ["nullable", resolveNullable],
  ["tuple", resolveTuple],
  ["struct", resolveStruct],
  ["enumeration", resolveEnumeration],
  ["union", resolveUnion],
  ["typedArray", resolveTypedArray],
]);

function resolveItems(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const items: Node[] = [];
  const node = resolution.place(w, reader, arrayNode(items, reader.kind === "set"));
  items.push(resolution.of(w.of[0] as Parsed, reader.of[0] as Node, `${path}[]`));
  return node;
}

function resolvePairs(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const isRecord = reader.kind === "record";
  const pair: Node[] = [];
  const node = resolution.place(w, reader, pairsNode(pair, isRecord));
  const [key, value] = reader.of as readonly [Node, Node];
  pair.push(isRecord ? key : resolution.of(w.of[0] as Parsed, key, `${path}{key}`));
  pair.push(resolution.of(w.of.at(-1) as Parsed, value, `${path}{}`));
  return node;
}

function resolveNullable(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const inner: Node[] = [];
  const node = resolution.place(w, reader, nullableNode(inner));
  inner.push(resolution.of(w.of[0] as Parsed, reader.of[0] as Node, path));
  node.bits = 1 + (inner[0] as Node).bits;
  return node;
}

function resolveTuple(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const { of } = reader;
  if (w.of.length !== of.length) {
    return resolution.problem(path, `writer has a tuple of ${w.of.length}, reader wants one of ${of.length}`);
  }
  const items: Node[] = [];
  const node = resolution.place(w, reader, tupleNode(items));
  w.of.forEach((item, i) => items.push(resolution.of(item, of[i] as Node, `${path}[${i}]`)));
  return node;
}

function resolveTypedArray(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const { name } = reader as TypedArrayNode;
  return w.names[0] === name ? reader : resolution.problem(path, `writer has ${w.names[0]}, reader wants ${name}`);
}

/** What becomes of choices that the reader does not have; the problem where nothing can. */
function bridge(
  unknown: readonly string[],
  fallback: string | undefined,
  resolution: Resolution,
  path: string,
): Node | undefined {
  if (unknown.length === 0) return undefined;
  if (fallback === undefined) {
    return resolution.problem(
      path,
      `writer may send ${quoted(unknown)}, which the reader does not have and has no fallback for`,
    );
  }
  resolution.note(path, `writer's ${quoted(unknown)} is read as ${JSON.stringify(fallback)}`);
  return undefined;
}

function resolveEnumeration(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const { values, fallback } = reader as EnumerationNode;
  const known = new Set(values);
  const unknown = w.names.filter((value) => !known.has(value));
  const problem = bridge(unknown, fallback, resolution, path);
  if (problem !== undefined) return problem;
  const results = w.names.map((value) => (known.has(value) ? value : fallback));
  const big = w.names.length > MOST_CHOICES;
  return reading("enumeration", indexBits(w.names.length), big ? 1 : 0, (from, head) => {
    const index = big ? from.leb() : head;
    return results[index] ?? fail("variant", `enumeration has no value number ${index}`);
  });
}

function resolveUnion(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const { tags, fallback, of } = reader as UnionNode;
  const indexes = new Map(tags.map((tag, i) => [tag, i]));
  const unknown = w.names.filter((tag) => !indexes.has(tag));
  const problem = bridge(unknown, fallback?.type, resolution, path);
  if (problem !== undefined) return problem;
  const payloads: Node[] = [];
  const node = resolution.place(
    w,
    reader,
    reading("union", indexBits(w.names.length), 0, (from, head) => {
      const payload = payloads[head] ?? fail("variant", `union has no case number ${head}`);
      const type = w.names[head] as string;
      try {
        const value = decodeAlone(from, payload);
        return indexes.has(type) ? { type, value } : { ...fallback };
      } catch (error) {
        throw within(error, ".value");
      }
    }),
  );
  w.of.forEach((payload, i) => {
    const tag = w.names[i] as string;
    const index = indexes.get(tag);
    payloads.push(
      index === undefined
        ? resolution.skip(payload)
        : resolution.of(payload, of[index] as Node, `${path}(${tag.slice(0, 40)})`),
    );
  });
  return node;
}
