/** Runs one set of tests on both engines: the same laws hold for generated code and for the interpreter. */
import { interpreted } from "../src/codec.ts";
import type { Codec } from "../src/index.ts";

/** What is needed to run a codec under either engine. */
export interface Engine {
  readonly name: "compiled" | "interpreted";
  of<C>(codec: C): C;
}

export const engines: readonly Engine[] = [
  { name: "compiled", of: (codec) => codec },
  { name: "interpreted", of: (codec) => interpreted(codec as Codec<unknown>) as never },
];

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text: string): Uint8Array {
  const digits = text.replaceAll(" ", "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
