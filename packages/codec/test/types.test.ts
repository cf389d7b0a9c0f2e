/** Laws about types: this file passes when it compiles. The one run-time test says so. */
import { test } from "node:test";
import {
  any,
  array,
  bool,
  type Codec,
  enumeration,
  f64,
  type Infer,
  type InferInput,
  lazy,
  map,
  nullable,
  optional,
  record,
  set,
  string,
  struct,
  tuple,
  typedArray,
  u8,
  u64,
  union,
} from "../src/index.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type NotAny<T> = 0 extends 1 & T ? false : true;
function law<_T extends true>(): void {}

const User = struct({
  name: string,
  nick: optional(string),
  level: optional(u8, { default: 1 }),
  tags: array(string),
  place: tuple([f64, f64]),
  role: enumeration(["admin", "guest"]),
  scores: record(u8),
  seen: map(string, u64),
  flags: set(bool),
  boss: nullable(string),
  data: typedArray(Float32Array),
  extra: any,
});
interface UserOutput {
  name: string;
  nick?: string;
  level: number;
  tags: string[];
  place: [number, number];
  role: "admin" | "guest";
  scores: { [key: string]: number };
  seen: Map<string, bigint>;
  flags: Set<boolean>;
  boss: string | null;
  data: Float32Array;
  extra: unknown;
}
interface UserInput {
  readonly name: string;
  readonly nick?: string | undefined;
  readonly level?: number | undefined;
  readonly tags: readonly string[];
  readonly place: readonly [number, number];
  readonly role: "admin" | "guest";
  readonly scores: { readonly [key: string]: number };
  readonly seen: ReadonlyMap<string, bigint>;
  readonly flags: ReadonlySet<boolean>;
  readonly boss: string | null;
  readonly data: Float32Array;
  readonly extra: unknown;
}
law<Same<Infer<typeof User>, { [K in keyof UserOutput]: UserOutput[K] }>>();
law<Same<InferInput<typeof User>, { [K in keyof UserInput]: UserInput[K] }>>();
law<NotAny<Infer<typeof User>["tags"][number]>>();

const Shape = union({ circle: struct({ r: f64 }), text: string });
type Shape = Infer<typeof Shape>;
law<Same<Shape, { type: "circle"; value: { r: number } } | { type: "text"; value: string }>>();
export function area(shape: Shape): number {
  return shape.type === "circle" ? shape.value.r ** 2 * Math.PI : shape.value.length;
}

interface Tree {
  label: string;
  children: Tree[];
}
const Written: Codec<Tree> = struct({ label: string, children: array(lazy(() => Written)) });
const Inferred = struct({
  label: string,
  get children() {
    return array(Inferred);
  },
});
export const two: string | undefined = ({} as Infer<typeof Inferred>).children?.[0]?.children[0]?.label;
law<Same<Infer<typeof Inferred>["children"][number]["children"][number]["label"], string>>();
law<Same<Infer<typeof Written>, Tree>>();
law<Same<Infer<Codec<Tree>>, Tree>>();

/** A frozen value is good enough to encode. */
export function encodeFrozen(tags: readonly string[], seen: ReadonlyMap<string, bigint>): Uint8Array[] {
  const frozen = { label: "x", children: [] } as const;
  const Tagged = struct({ tags: array(string), seen: map(string, u64), nick: optional(string) });
  const nick = undefined as string | undefined;
  return [Written.encode(frozen), Tagged.encode({ tags, seen, nick })];
}

/** Decoded values are plain and mutable. */
export function change(bytes: Uint8Array): void {
  const user = User.decode(bytes);
  user.tags.push("x");
  delete user.nick;
}

export function wrong(): void {
  // @ts-expect-error: a field of another type
  User.encode({ name: 1 });
  // @ts-expect-error: an unknown choice
  Shape.encode({ type: "square", value: 1 });
  // @ts-expect-error: a payload of the other case
  Shape.encode({ type: "text", value: { r: 1 } });
  // @ts-expect-error: only struct fields may be optional
  array(optional(string));
  // @ts-expect-error: not one of them
  enumeration(["a"], { fallback: "b" });
  // @ts-expect-error: a default of another type
  optional(u8, { default: "x" });
  // @ts-expect-error: a tuple of the wrong length
  tuple([u8, u8]).encode([1]);
  // @ts-expect-error: null where it has no place
  string.encode(null);
  // @ts-expect-error: number is not bigint
  u64.encode(1);
  // @ts-expect-error: the interface asks for more than the struct gives
  const bad: Codec<{ a: string; b: string }> = struct({ a: string });
  void bad;
}

test("types of values are those that the schema says", () => {});
