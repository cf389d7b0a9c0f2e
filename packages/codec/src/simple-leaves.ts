import { date, f32, f64, i8, i16, i32, i64, int, u8, u16, u32, u64, uint } from "./numbers.ts";
import { bool, string } from "./scalars.ts";
import type { AnyCodec } from "./types.ts";

/**
 * The leaf types that reading other versions needs as codecs. The others (`bytes`, `uuid`, `any`) are passed over by their
 * size there, and would bring CBOR with them.
 */
export const simpleLeaves: Readonly<Record<string, AnyCodec>> = {
  bool,
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  uint,
  int,
  f32,
  f64,
  string,
  date,
};
