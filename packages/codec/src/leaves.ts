import { date, f32, f64, i8, i16, i32, i64, int, u8, u16, u32, u64, uint } from "./numbers.ts";
import { bool, bytes, string, uuid } from "./scalars.ts";
import type { AnyCodec } from "./types.ts";

/** The types without children by name, but for `any`, which would bring CBOR with it. */
export const leaves: Readonly<Record<string, AnyCodec>> = {
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
  bytes,
  date,
  uuid,
};
