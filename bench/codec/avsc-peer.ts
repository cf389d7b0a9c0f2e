import avro from "avsc";
import type { Peer } from "./peer.ts";
import { type Shape, convert } from "./shape.ts";

/** avsc, by an Avro schema. Its `long` refuses integers near 2^53, and 64 bits need a type of the user's own. */
export const avscPeer: Peer = {
  name: "avsc",
  prepare(shape, value) {
    if (shape.kind === "list" && shape.of.kind === "u64") return undefined;
    const type = avro.Type.forSchema(schemaOf(shape, new Set()) as avro.Schema);
    return {
      input: convert(shape, value, { absentAsNull: true, bytes: (bytes: Uint8Array) => Buffer.from(bytes) }),
      encode: (input: unknown) => type.toBuffer(input),
      decode: (bytes) => type.fromBuffer(bytes as Buffer) as unknown,
      restore: (decoded) => convert(shape, decoded, {}),
    };
  },
};

function schemaOf(shape: Shape, named: Set<string>): unknown {
  switch (shape.kind) {
    case "bool":
      return "boolean";
    // Ours fit a signed 32-bit integer, and avsc reads `int` faster than `long`.
    case "u32":
    case "i32":
      return "int";
    case "int":
    case "u64":
      return "long";
    case "f64":
      return "double";
    case "string":
    case "bytes":
      return shape.kind;
    case "enum":
      if (named.has(shape.name)) return shape.name;
      named.add(shape.name);
      return { type: "enum", name: shape.name, symbols: shape.values };
    case "list":
      return { type: "array", items: schemaOf(shape.of, named) };
    case "record":
      return { type: "map", values: schemaOf(shape.of, named) };
    case "optional":
      return ["null", schemaOf(shape.of, named)];
    case "ref":
      return shape.name;
    case "struct": {
      if (named.has(shape.name)) return shape.name;
      named.add(shape.name);
      const fields = Object.entries(shape.fields).map(([name, field]) => ({ name, type: schemaOf(field, named) }));
      return { type: "record", name: shape.name, fields };
    }
  }
}
