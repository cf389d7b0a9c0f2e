/** How each type with children, or with names, reads another version of itself. Types without either need nothing. */
import { quoted } from "./choices.ts";
import type { EnumerationNode } from "./enumeration.ts";
import type { Node } from "./node.ts";
import { resolveStruct } from "./resolve-struct.ts";
import type { Resolution } from "./resolve.ts";
import type { StructNode } from "./struct.ts";
import type { TypedArrayNode } from "./typed-array.ts";
import type { UnionNode } from "./union.ts";

/** Resolution of a reader's node against a writer's of the same kind. */
export function resolveByKind(writer: Node, reader: Node, resolution: Resolution, path: string): Node {
  switch (reader.kind) {
    case "struct":
      return resolveStruct(writer as StructNode, reader as StructNode, resolution, path);
    case "union":
      return resolveUnion(writer as UnionNode, reader as UnionNode, resolution, path);
    case "enumeration":
      return resolveEnumeration(writer as EnumerationNode, reader as EnumerationNode, resolution, path);
    case "typedArray":
      return resolveTypedArray(writer as TypedArrayNode, reader as TypedArrayNode, resolution, path);
  }
  return reader.of.length === 0 && writer.of.length === 0 ? reader : resolveChildren(writer, reader, resolution, path);
}

/** Where the children of a container are, in the path of a difference: one for each, or one for all. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  array: ["[]"],
  set: ["[]"],
  map: ["{key}", "{}"],
  record: ["", "{}"],
  nullable: [""],
};

/** A container, whose children are matched one by one. */
function resolveChildren(writer: Node, reader: Node, resolution: Resolution, path: string): Node {
  const { of, kind } = reader;
  if (writer.of.length !== of.length) {
    return resolution.problem(path, `writer has a tuple of ${writer.of.length}, reader wants one of ${of.length}`);
  }
  const children: Node[] = [];
  const node = resolution.place(writer, reader, remake(writer, children));
  for (const [i, child] of writer.of.entries()) {
    children.push(resolution.of(child, of[i] as Node, path + (PLACES[kind]?.[i] ?? `[${i}]`)));
  }
  return node;
}

function resolveTypedArray(writer: TypedArrayNode, reader: TypedArrayNode, resolution: Resolution, path: string): Node {
  return writer.name === reader.name
    ? reader
    : resolution.problem(path, `writer has ${writer.name}, reader wants ${reader.name}`);
}

/** Notes what becomes of the writer's choices that the reader does not have. */
function bridge(
  writer: readonly string[],
  reader: { has(choice: string): boolean },
  fallback: string | undefined,
  resolution: Resolution,
  path: string,
): void {
  const unknown = writer.filter((choice) => !reader.has(choice));
  if (unknown.length === 0) return;
  if (fallback !== undefined)
    resolution.note(path, `writer's ${quoted(unknown)} is read as ${JSON.stringify(fallback)}`);
  else {
    resolution.problem(
      path,
      `writer may send ${quoted(unknown)}, which the reader does not have and has no fallback for`,
    );
  }
}

function resolveEnumeration(
  writer: EnumerationNode,
  { values, fallback }: EnumerationNode,
  resolution: Resolution,
  path: string,
): Node {
  const known = new Set(values);
  bridge(writer.values, known, fallback, resolution, path);
  return {
    ...writer,
    decode(from, head) {
      const value = writer.decode(from, head) as string;
      return known.has(value) ? value : fallback;
    },
  };
}

function resolveUnion(writer: UnionNode, reader: UnionNode, resolution: Resolution, path: string): Node {
  const { tags, fallback, of } = reader;
  const indexes = new Map(tags.map((tag, i) => [tag, i]));
  bridge(writer.tags, indexes, fallback?.type, resolution, path);
  const payloads: Node[] = [];
  const node = resolution.place(writer, reader, remake(writer, payloads));
  const { decode } = node;
  node.decode = (from, head) => {
    const value = decode(from, head);
    return indexes.has(writer.tags[head] as string) ? value : { ...fallback };
  };
  for (const [i, payload] of writer.of.entries()) {
    const tag = writer.tags[i] as string;
    const index = indexes.get(tag);
    // What only the writer has is read as it wrote it, and let go.
    payloads.push(
      index === undefined ? payload : resolution.of(payload, of[index] as Node, `${path}(${tag.slice(0, 40)})`),
    );
  }
  return node;
}

/** The same container with other children, which may come later. */
function remake(node: Node, of: readonly Node[]): Node {
  return (node.remake as NonNullable<Node["remake"]>)(of);
}
