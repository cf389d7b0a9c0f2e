import { type MessageInitShape, create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import protobuf from "protobufjs";
import type { Peer } from "./peer.ts";
import { type EnumShape, type Shape, convert, enumsIn, structsIn } from "./shape.ts";

/** What protobufjs wants 64-bit integers to be. */
const Long = protobuf.util.Long as unknown as {
  fromNumber(value: number): object;
  fromString(value: string, unsigned: boolean): object;
};

const toNumber = { enum: (item: string, { values }: EnumShape): number => values.indexOf(item) };
const toName = { enum: (item: number, { values }: EnumShape): unknown => values[item] };

/** protobufjs by reflection, which generates the code that its static mode has. */
export const protobufjsPeer: Peer = {
  name: "protobufjs",
  prepare(shape, value) {
    const { message, wrapped } = messageOf(shape);
    const root = protobuf.Root.fromJSON({ nested: nestedTypes(message) });
    const type = root.lookupType(message.name);
    const long = {
      int: (item: number) => Long.fromNumber(item),
      u64: (item: bigint) => Long.fromString(String(item), true),
    };
    const plain = { int: Number, u64: (item: object) => BigInt(String(item)), ...toName };
    const input = convert(shape, value, { ...toNumber, ...long });
    return {
      input: wrapped ? { v: input } : input,
      encode: (given: Record<string, unknown>) => type.encode(given).finish(),
      decode: (bytes) => type.decode(bytes),
      restore: (decoded) => convert(shape, wrapped ? (decoded as { v: unknown }).v : decoded, plain),
    };
  },
};

/** @bufbuild/protobuf by run-time descriptors; its messages are made before the clock starts. */
export const bufbuildPeer: Peer = {
  name: "@bufbuild/protobuf",
  prepare(shape, value) {
    const { message, wrapped } = messageOf(shape);
    const file = create(FileDescriptorProtoSchema, {
      name: "bench.proto",
      syntax: "proto3",
      messageType: [...structsIn(message).values()].map(descriptorOf),
      enumType: [...enumsIn(message).values()].map(({ name, values }) => ({
        name,
        value: values.map((item, number) => ({ name: `${name}_${item}`, number })),
      })),
    });
    const schema = createFileRegistry(file, () => undefined).getMessage(message.name);
    if (schema === undefined) throw new Error(`No descriptor for ${message.name}`);
    const converted = convert(shape, value, { ...toNumber, int: (item: number) => BigInt(item) });
    const input = create(schema, (wrapped ? { v: converted } : converted) as MessageInitShape<typeof schema>);
    return {
      input,
      encode: (given: typeof input) => toBinary(schema, given),
      decode: (bytes) => fromBinary(schema, bytes),
      restore: (decoded) =>
        convert(shape, wrapped ? (decoded as unknown as { v: unknown }).v : decoded, { int: Number, ...toName }),
    };
  },
};

/** Protobuf has messages only: a list, text or map goes into the one field of a message. */
function messageOf(shape: Shape): { message: Shape & { kind: "struct" }; wrapped: boolean } {
  if (shape.kind === "struct") return { message: shape, wrapped: false };
  return { message: { kind: "struct", name: "Wrapper", fields: { v: shape } }, wrapped: true };
}

const scalarNames = {
  bool: "bool",
  u32: "uint32",
  i32: "sint32",
  int: "sint64",
  f64: "double",
  u64: "uint64",
  string: "string",
  bytes: "bytes",
} as const;

const scalarTypes = {
  bool: Type.BOOL,
  u32: Type.UINT32,
  i32: Type.SINT32,
  int: Type.SINT64,
  f64: Type.DOUBLE,
  u64: Type.UINT64,
  string: Type.STRING,
  bytes: Type.BYTES,
} as const;

function nestedTypes(message: Shape): Record<string, protobuf.AnyNestedObject> {
  const nested: Record<string, protobuf.AnyNestedObject> = {};
  for (const { name, fields } of structsIn(message).values()) {
    const made = Object.entries(fields).map(([key, field], i) => {
      const inner = "of" in field ? field.of : field;
      const type = "name" in inner ? inner.name : scalarNames[inner.kind as keyof typeof scalarNames];
      const rule = field.kind === "list" ? { rule: "repeated" } : {};
      return [key, { id: i + 1, type, ...rule, ...(field.kind === "record" ? { keyType: "string" } : {}) }];
    });
    nested[name] = { fields: Object.fromEntries(made) as Record<string, protobuf.IField> };
  }
  for (const { name, values } of enumsIn(message).values()) {
    nested[name] = { values: Object.fromEntries(values.map((value, i) => [value, i])) };
  }
  return nested;
}

function descriptorOf({ name, fields }: { name: string; fields: Readonly<Record<string, Shape>> }): DescriptorProto {
  const nestedType: object[] = [];
  const field = Object.entries(fields).map(([key, shape], i) => {
    const number = i + 1;
    if (shape.kind === "record") {
      const entry = `${key[0]?.toUpperCase()}${key.slice(1)}Entry`;
      const label = Label.OPTIONAL;
      const parts = [
        { name: "key", number: 1, label, type: Type.STRING },
        { name: "value", number: 2, label, ...typeOf(shape.of) },
      ];
      nestedType.push({ name: entry, options: { mapEntry: true }, field: parts });
      return { name: key, number, label: Label.REPEATED, type: Type.MESSAGE, typeName: `.${name}.${entry}` };
    }
    const label = shape.kind === "list" ? Label.REPEATED : Label.OPTIONAL;
    return { name: key, number, label, ...typeOf("of" in shape ? shape.of : shape) };
  });
  return { name, field, nestedType } as unknown as DescriptorProto;
}

function typeOf(shape: Shape): { type: Type; typeName?: string } {
  if (shape.kind === "enum") return { type: Type.ENUM, typeName: `.${shape.name}` };
  if ("name" in shape) return { type: Type.MESSAGE, typeName: `.${shape.name}` };
  return { type: scalarTypes[shape.kind as keyof typeof scalarTypes] };
}
