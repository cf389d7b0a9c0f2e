/** Source text for structs and tuples. */
import { define, own } from "./define.ts";
import type { Generator } from "./generator.ts";
import { type Field, widthOf } from "./members.ts";

/** Emits the statements that write members whose values are in the variables `values`. */
export function genMembers(g: Generator, fields: readonly Field[], values: readonly string[]): void {
  const bytes: string[][] = [];
  const heads: string[] = [];
  let offset = 0;
  fields.forEach((field, i) => {
    const width = widthOf(field);
    const v = values[i] as string;
    let head = "0";
    if (width > 0) {
      head = genHead(g, field, v);
      for (let k = offset >> 3, done = -(offset & 7); done < width; done += 8, k++) {
        const part = done > 0 ? `${head}>>${done}` : done < 0 ? `${head}<<${-done}` : head;
        (bytes[k] ??= []).push(width - done > 8 ? `(${part}&255)` : part);
      }
      offset += width;
    }
    heads.push(head);
  });
  bytes.forEach((parts, k) => g.line(`B[p+${k}]=${parts.join("|")};`));
  if (bytes.length > 0) g.line(`p+=${bytes.length};`);
  fields.forEach(({ node, optional }, i) => {
    const v = values[i] as string;
    const head = heads[i] as string;
    if (!optional) g.encode(node, v, head);
    else g.block(`if(${v}!==undefined)`, () => g.encode(node, v, node.bits > 0 ? `(${head}>>1)` : "0"));
  });
}

function genHead(g: Generator, { node, optional }: Field, v: string): string {
  if (!optional) return node.kind === "bool" ? g.head(node, v) : g.bind(g.head(node, v));
  if (node.bits === 0) return `(${v}===undefined?0:1)`;
  const head = g.name();
  g.line(`let ${head}=0;`);
  g.block(`if(${v}!==undefined)`, () => g.line(`${head}=1|${g.head(node, v)}<<1;`));
  return head;
}

/** @param check refuses what is no object of this kind */
export function genStructEncode(
  g: Generator,
  fields: readonly Field[],
  v: string,
  check: (value: unknown) => void,
): void {
  g.line(`if(typeof ${v}!=="object"||${v}===null)bad();`);
  const values = fields.map(({ name }) =>
    g.bind(name in Object.prototype ? `${g.external(own)}(${v},${g.text1(name)})` : `${v}[${g.text1(name)}]`),
  );
  if (mayBeBare(fields)) g.line(`if(!(${[...values, 0].join("||")}))${g.external(check)}(${v});`);
  genMembers(g, fields, values);
}

/** Whether all fields may be missing. Most refuse `undefined`; where none does, any list would pass for an object without them. */
export function mayBeBare(fields: readonly Field[]): boolean {
  return fields.every(({ optional, node }) => optional || node.kind === "any" || node.kind === "nullable");
}

/** Emits the statements that read the members; gives a variable or expression for each, and for whether it is there. */
function genRead(g: Generator, fields: readonly Field[]): { values: string[]; there: string[] } {
  const total = fields.reduce((bits, field) => bits + widthOf(field), 0);
  const size = Math.ceil(total / 8);
  const bytes: string[] = [];
  for (let k = 0; k < size; k++) bytes.push(g.bind(`B[p+${k}]`));
  if (size > 0) g.line(`p+=${size};`);
  if ((total & 7) !== 0) g.line(`if(${bytes[size - 1]}>>${total & 7})bad();`);
  const there: string[] = [];
  let offset = 0;
  const values = fields.map((field) => {
    const { node, optional, fill } = field;
    const width = widthOf(field);
    let head = "0";
    if (width > 0) {
      const shift = offset & 7;
      const parts = [`${bytes[offset >> 3]}${shift > 0 ? `>>${shift}` : ""}`];
      for (let k = 1; k * 8 < shift + width; k++) parts.push(`${bytes[(offset >> 3) + k]}<<${k * 8 - shift}`);
      head = `(${parts.length > 1 ? `(${parts.join("|")})` : parts[0]}&${(1 << width) - 1})`;
      offset += width;
    }
    if (!optional) {
      there.push("");
      return g.bind(g.decode(node, node.kind === "bool" || head === "0" ? head : g.bind(head)));
    }
    const h = g.bind(head);
    const x = g.name();
    there.push(fill === undefined ? `${h}&1` : "");
    g.line(`let ${x};`);
    g.block(`if(${h}&1)`, () => g.line(`${x}=${g.decode(node, node.bits > 0 ? `(${h}>>1)` : "0")};`));
    if (node.bits > 0) g.line(`else if(${h})bad();`);
    if (fill !== undefined) {
      // A default that used this very codec has left it without its message.
      g.line(`if(!(${h}&1)){if(--Q<0)bad();${x}=${g.external(fill)}();if(!B)bad();}`);
    }
    return x;
  });
  return { values, there };
}

export function genStructDecode(g: Generator, fields: readonly Field[]): string {
  const { values, there } = genRead(g, fields);
  const literal = (count: number): string => {
    const members = fields.slice(0, count).map(({ name }, i) => {
      const key = name === "__proto__" ? '["__proto__"]' : g.text1(name);
      return `${key}:${values[i]}`;
    });
    return `{${members.join(",")}}`;
  };
  const first = there.findIndex(Boolean);
  if (first < 0) return g.bind(literal(fields.length));
  const o = g.name();
  // With all fields it is made at once: those that are added later lie in memory of their own.
  const all = there.filter(Boolean).join("&");
  g.line(`let ${o};if(${all})${o}=${literal(fields.length)};else{${o}=${literal(first)};`);
  for (let i = first; i < fields.length; i++) {
    const name = g.text1((fields[i] as Field).name);
    const set =
      name === '"__proto__"' ? `${g.external(define)}(${o},${name},${values[i]});` : `${o}[${name}]=${values[i]};`;
    g.line(there[i] === "" ? set : `if(${there[i]})${set}`);
  }
  g.line("}");
  return o;
}

export function genTupleDecode(g: Generator, fields: readonly Field[]): string {
  return g.bind(`[${genRead(g, fields).values.join(",")}]`);
}
