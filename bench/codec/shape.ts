/** What a data set looks like, said once; each peer makes its own schema of it. */
export type Shape = LeafShape | EnumShape | ListShape | RecordShape | StructShape | RefShape | OptionalShape;

export interface LeafShape {
  readonly kind: "bool" | "u32" | "i32" | "int" | "f64" | "u64" | "string" | "bytes";
}
export interface EnumShape {
  readonly kind: "enum";
  readonly name: string;
  readonly values: readonly string[];
}
export interface ListShape {
  readonly kind: "list";
  readonly of: Shape;
}
/** An object whose keys are known only at run time. */
export interface RecordShape {
  readonly kind: "record";
  readonly of: Shape;
}
export interface StructShape {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: Readonly<Record<string, Shape>>;
}
/** A struct that encloses this place. */
export interface RefShape {
  readonly kind: "ref";
  readonly name: string;
}
/** Only the field of a struct; absent is no key at all. */
export interface OptionalShape {
  readonly kind: "optional";
  readonly of: Shape;
}

/** Every struct within, by name; outermost first. */
export function structsIn(shape: Shape, found: Map<string, StructShape> = new Map()): Map<string, StructShape> {
  if (shape.kind === "struct") {
    if (found.has(shape.name)) return found;
    found.set(shape.name, shape);
    for (const field of Object.values(shape.fields)) structsIn(field, found);
  } else if ("of" in shape) structsIn(shape.of, found);
  return found;
}

/** Every enumeration within, by name. */
export function enumsIn(shape: Shape): Map<string, EnumShape> {
  const fields = [...structsIn(shape).values()].flatMap((struct) => Object.values(struct.fields));
  const enums = fields.map((field) => ("of" in field ? field.of : field)).filter((field) => field.kind === "enum");
  return new Map(enums.map((one) => [one.name, one]));
}

/** How a peer's values differ from plain ones. */
export interface Conversion {
  readonly enum?: (value: never, shape: EnumShape) => unknown;
  readonly int?: (value: never) => unknown;
  readonly u64?: (value: never) => unknown;
  readonly bytes?: (value: never) => unknown;
  /** A dynamic object as a `Map`. */
  readonly recordAsMap?: boolean;
  /** An absent field as `null`. */
  readonly absentAsNull?: boolean;
}

/**
 * A copy of `value`, which has the shape, with some leaves made another way: what a peer wants to be given, or, backwards,
 * what it gave as plain objects.
 */
export function convert(root: Shape, value: unknown, conversion: Conversion): unknown {
  const structs = structsIn(root);
  return walk(root, value);

  function walk(shape: Shape, at: unknown): unknown {
    switch (shape.kind) {
      case "list":
        return Array.from(at as Iterable<unknown>, (item) => walk(shape.of, item));
      case "record": {
        const entries = at instanceof Map ? [...at] : Object.entries(at as object);
        const walked = entries.map(([key, item]): [string, unknown] => [String(key), walk(shape.of, item)]);
        return conversion.recordAsMap === true ? new Map(walked) : Object.fromEntries(walked);
      }
      case "ref":
        return walk(structs.get(shape.name) ?? unknownName(shape.name), at);
      case "optional":
        return at === undefined || at === null ? undefined : walk(shape.of, at);
      case "struct": {
        const made: Record<string, unknown> = {};
        for (const [name, field] of Object.entries(shape.fields)) {
          const item = walk(field, (at as Record<string, unknown>)[name]);
          if (item !== undefined) made[name] = item;
          else if (conversion.absentAsNull === true) made[name] = null;
        }
        return made;
      }
      case "enum":
        return conversion.enum === undefined ? at : conversion.enum(at as never, shape);
      case "int":
      case "u64":
      case "bytes":
        return conversion[shape.kind]?.(at as never) ?? at;
      default:
        return at;
    }
  }
}

function unknownName(name: string): never {
  throw new Error(`No struct called ${name} encloses a reference to it`);
}
