import { BebopView } from "bebop";
import type { Peer } from "./peer.ts";
import { type Shape, type StructShape, convert, structsIn } from "./shape.ts";

/** bebop, by code of the shape that its generator emits. 53-bit integers travel as doubles, its fastest way. */
export const bebopPeer: Peer = {
  name: "bebop",
  prepare(shape, value) {
    const enums = { enum: (item: string, { values }: { values: readonly string[] }) => values.indexOf(item) };
    const names = { enum: (item: number, { values }: { values: readonly string[] }) => values[item] };
    const { write, read } = compile(shape);
    const view = BebopView.getInstance();
    return {
      input: convert(shape, value, { ...enums, recordAsMap: true }),
      encode: (input: unknown) => {
        view.startWriting();
        write(view, input);
        // The view's only buffer is written again by the next message.
        return Buffer.from(view.toArray());
      },
      decode: (bytes) => {
        view.startReading(bytes);
        return read(view);
      },
      restore: (decoded) => convert(shape, decoded, names),
    };
  },
};

const leafMethods = {
  bool: "Byte",
  u32: "Uint32",
  i32: "Int32",
  int: "Float64",
  f64: "Float64",
  u64: "Uint64",
  string: "String",
  bytes: "Bytes",
  enum: "Byte",
} as const;

interface Compiled {
  readonly write: (view: BebopView, value: unknown) => void;
  readonly read: (view: BebopView) => unknown;
}

function compile(shape: Shape): Compiled {
  const structs = [...structsIn(shape).values()].map((struct) => (isMessage(struct) ? message(struct) : plain(struct)));
  const source = `${structs.join("\n")}
    function write(view, value) { ${writer(shape, "value")} }
    function read(view) { let value; ${reader(shape, "value")} return value; }
    return { write, read };`;
  // oxlint-disable-next-line no-new-func, no-implied-eval -- bebop is a code generator; this stands in for its output
  return new Function(source)() as Compiled;
}

function isMessage({ fields }: StructShape): boolean {
  return Object.values(fields).some(({ kind }) => kind === "optional");
}

function plain({ name, fields }: StructShape): string {
  const entries = Object.entries(fields);
  return `
    function write${name}(view, record) { ${entries.map(([key, field]) => writer(field, `record.${key}`)).join(" ")} }
    function read${name}(view) {
      ${entries.map(([key, field]) => `let ${key}; ${reader(field, key)}`).join("\n")}
      return { ${entries.map(([key]) => key).join(", ")} };
    }`;
}

/** With optional fields: a length, then fields under their numbers, then 0. */
function message({ name, fields }: StructShape): string {
  const entries = Object.entries(fields).map(
    ([key, field]) => [key, "of" in field && field.kind === "optional" ? field.of : field] as const,
  );
  const written = entries.map(
    ([key, field], i) => `if (record.${key} != null) { view.writeByte(${i + 1}); ${writer(field, `record.${key}`)} }`,
  );
  return `
    function write${name}(view, record) {
      const position = view.reserveMessageLength(); const start = view.length;
      ${written.join("\n")}
      view.writeByte(0);
      view.fillMessageLength(position, view.length - start);
    }
    function read${name}(view) {
      const record = {}; const length = view.readMessageLength(); const end = view.index + length;
      for (;;) switch (view.readByte()) {
        case 0: return record;
        ${entries.map(([key, field], i) => `case ${i + 1}: ${reader(field, `record.${key}`)} break;`).join("\n")}
        default: view.index = end; return record;
      }
    }`;
}

let variables = 0;

function writer(shape: Shape, from: string): string {
  const id = variables++;
  switch (shape.kind) {
    case "list":
      return `{ const n${id} = ${from}.length; view.writeUint32(n${id}); for (let i${id} = 0; i${id} < n${id}; i${id}++) { ${writer(shape.of, `${from}[i${id}]`)} } }`;
    case "record":
      return `view.writeUint32(${from}.size); for (const [k${id}, e${id}] of ${from}) { view.writeString(k${id}); ${writer(shape.of, `e${id}`)} }`;
    case "struct":
    case "ref":
      return `write${shape.name}(view, ${from});`;
    case "optional":
      return writer(shape.of, from);
    case "bool":
      return `view.writeByte(Number(${from}));`;
    default:
      return `view.write${leafMethods[shape.kind]}(${from});`;
  }
}

function reader(shape: Shape, into: string): string {
  const id = variables++;
  switch (shape.kind) {
    case "list":
      return `{ const n${id} = view.readUint32(); ${into} = new Array(n${id}); for (let i${id} = 0; i${id} < n${id}; i${id}++) { let x${id}; ${reader(shape.of, `x${id}`)} ${into}[i${id}] = x${id}; } }`;
    case "record":
      return `{ const n${id} = view.readUint32(); ${into} = new Map(); for (let i${id} = 0; i${id} < n${id}; i${id}++) { const k${id} = view.readString(); let x${id}; ${reader(shape.of, `x${id}`)} ${into}.set(k${id}, x${id}); } }`;
    case "struct":
    case "ref":
      return `${into} = read${shape.name}(view);`;
    case "optional":
      return reader(shape.of, into);
    case "bool":
      return `${into} = !!view.readByte();`;
    default:
      return `${into} = view.read${leafMethods[shape.kind]}();`;
  }
}
