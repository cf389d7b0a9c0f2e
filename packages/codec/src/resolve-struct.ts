import { getBits, takeBits } from "./bits.ts";
import { fieldSegment } from "./codec-error.ts";
import { define } from "./define.ts";
import { absent, within } from "./fault.ts";
import { reading } from "./foreign.ts";
import type { Node } from "./node.ts";
import type { Parsed } from "./parse-schema.ts";
import type { Resolution } from "./resolve.ts";
import type { Field } from "./members.ts";
import type { StructNode } from "./struct.ts";

/** One field of the writer, in its order. */
interface Step {
  readonly node: Node;
  readonly optional: boolean;
  /** Where its value goes in the reader's order; -1 where it is passed over. */
  readonly slot: number;
  readonly name: string;
}

/** Matches fields by name, then by the reader's aliases. */
export function resolveStruct(w: Parsed, reader: Node, resolution: Resolution, path: string): Node {
  const { fields, aliases } = reader as StructNode;
  const written = new Set(w.names);
  const slots = new Map<string, number>();
  fields.forEach(({ name }, slot) => {
    const known = [name, ...(aliases.get(name) ?? [])].find((candidate) => written.has(candidate));
    if (known !== undefined && !slots.has(known)) slots.set(known, slot);
  });
  const steps: Step[] = [];
  const node = resolution.place(
    w,
    reader,
    reading("struct", 0, 0, (from) => {
      const values: unknown[] = new Array(fields.length);
      const there: boolean[] = [];
      let bits = 0;
      for (const { node, optional } of steps) bits += node.bits + (optional ? 1 : 0);
      const start = takeBits(from, bits);
      let offset = 0;
      for (const { node, optional, slot, name } of steps) {
        const width = node.bits + (optional ? 1 : 0);
        let head = width > 0 ? getBits(from.bytes, start, offset, width) : 0;
        offset += width;
        if (optional && (head & 1) === 0) {
          absent(head);
          continue;
        }
        if (optional) head >>= 1;
        try {
          const value = node.decode(from, head);
          if (slot >= 0) {
            values[slot] = value;
            there[slot] = true;
          }
        } catch (error) {
          throw within(error, fieldSegment(name));
        }
      }
      const value: Record<string, unknown> = {};
      fields.forEach(({ name, fill }, slot) => {
        if (!there[slot]) {
          if (fill === undefined) return;
          from.charge(1);
          values[slot] = fill();
        }
        if (name === "__proto__") define(value, name, values[slot]);
        else value[name] = values[slot];
      });
      return value;
    }),
  );
  const base = path === "" ? "" : `${path}.`;
  // A plain loop: every pair of structs that refer to each other is a level of the stack.
  for (const [i, child] of w.of.entries()) {
    const name = w.names[i] as string;
    const slot = slots.get(name) ?? -1;
    const optional = w.optional[i] === true;
    const shown = `${base}${name.slice(0, 64)}`;
    if (slot < 0) {
      resolution.note(shown, "reader does not have it, and passes over it");
      steps.push({ node: resolution.skip(child), optional, slot, name });
      continue;
    }
    const field = fields[slot] as Field;
    if (field.name !== name) resolution.note(shown, `reader calls it ${field.name}`);
    if (optional && !field.optional) resolution.problem(shown, "writer may leave it out, reader requires it");
    steps.push({ node: resolution.of(child, field.node, shown), optional, slot, name });
  }
  const given = new Set(slots.values());
  fields.forEach(({ name, optional, fill }, slot) => {
    if (given.has(slot)) return;
    if (optional)
      resolution.note(
        `${base}${name}`,
        `writer does not have it, reader ${fill === undefined ? "leaves it out" : "fills in its default"}`,
      );
    else resolution.problem(`${base}${name}`, "writer does not have it, reader requires it");
  });
  return node;
}
