import { listOf } from "./array.ts";
import type { List, Node } from "./node.ts";

/** Readers' numbers that hold every value of a writer's. */
const WIDER: Readonly<Record<string, string>> = {
  u8: "u16 u32 u64 i16 i32 i64 uint int f32 f64",
  u16: "u32 u64 i32 i64 uint int f32 f64",
  u32: "u64 i64 uint int f64",
  uint: "u64 i64 int f64",
  i8: "i16 i32 i64 int f32 f64",
  i16: "i32 i64 int f32 f64",
  i32: "i64 int f64",
  int: "i64 f64",
  f32: "f64",
};

/** Whether a reader of `to` may be given what a writer of `from` wrote. */
export function widens(from: string, to: string): boolean {
  return WIDER[from]?.split(" ").includes(to) === true;
}

/** A node that reads a writer's numbers, as bigints where the reader's type wants them. */
export function widened(writer: Node, { kind }: Node): Node {
  if (kind !== "u64" && kind !== "i64") return writer;
  const list = listOf(writer) as List;
  return {
    ...writer,
    decode: (from, head) => BigInt(writer.decode(from, head) as number),
    list: { ...list, read: (from, n) => (list.read(from, n) as number[]).map(BigInt) },
  };
}
