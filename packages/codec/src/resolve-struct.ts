import { define } from "./define.ts";
import { type Field, fieldOf, membersNode } from "./members.ts";
import type { Node } from "./node.ts";
import type { Resolution } from "./resolve.ts";
import type { StructNode } from "./struct.ts";

/** Matches fields by name, then by the reader's aliases. */
export function resolveStruct(writer: StructNode, reader: StructNode, resolution: Resolution, path: string): Node {
  const { fields, aliases } = reader;
  const written = new Set(writer.fields.map(({ name }) => name));
  // Which of the reader's fields, by its index, each of the writer's is.
  const slots = new Map<string, number>();
  fields.forEach(({ name }, slot) => {
    const known = [name, ...(aliases.get(name) ?? [])].find((candidate) => written.has(candidate));
    if (known !== undefined && !slots.has(known)) slots.set(known, slot);
  });
  const steps: Field[] = [];
  const node = resolution.place(writer, reader, { ...writer, decode: readerOfSteps(steps, fields) });
  const base = path === "" ? "" : `${path}.`;
  // A plain loop: every pair of structs that refer to each other is a level of the stack.
  for (const { name, segment, node: child, optional } of writer.fields) {
    const slot = slots.get(name);
    const shown = `${base}${name.slice(0, 64)}`;
    const field = slot === undefined ? undefined : (fields[slot] as Field);
    let inner = child;
    if (field === undefined) resolution.note(shown, "reader does not have it, and passes over it");
    else {
      if (field.name !== name) resolution.note(shown, `reader calls it ${field.name}`);
      if (optional && !field.optional) resolution.problem(shown, "writer may leave it out, reader requires it");
      inner = resolution.of(child, field.node, shown);
    }
    steps.push(fieldOf(String(slot ?? fields.length), segment, inner, optional));
  }
  const given = new Set(slots.values());
  fields.forEach(({ name, optional, fill }, slot) => {
    if (given.has(slot)) return;
    const what = "writer does not have it, reader ";
    if (!optional) resolution.problem(base + name, `${what}requires it`);
    else resolution.note(base + name, what + (fill === undefined ? "leaves it out" : "fills in its default"));
  });
  return node;
}

/** Reads the writer's fields into an array by the reader's order, and makes the reader's object of that. */
function readerOfSteps(steps: readonly Field[], fields: readonly Field[]): Node["decode"] {
  const { decode } = membersNode(
    () => steps,
    () => undefined,
    () => () => new Array<unknown>(fields.length + 1),
  );
  return (from, head) => {
    const values = decode(from, head) as unknown[];
    const object: Record<string, unknown> = {};
    for (let slot = 0; slot < fields.length; slot++) {
      const { name, fill } = fields[slot] as Field;
      let value = values[slot];
      if (value === undefined && !(slot in values)) {
        if (fill === undefined) continue;
        from.charge(1);
        value = fill();
      }
      if (name === "__proto__") define(object, name, value);
      else object[name] = value;
    }
    return object;
  };
}
