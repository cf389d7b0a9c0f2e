import { canonical, type Schema } from "./schema.ts";
import { sha256 } from "./sha256.ts";

interface Encoder {
  encode(text: string): Uint8Array;
}

/**
 * First 64 bits, as 16 hex digits, of SHA-256 over the canonical schema of a codec: its names, order and types, as JSON
 * without spaces (docs/codec-format.md, section 8). Hashed at each call. A function and not a member, so that programs
 * which compare no schemas do not carry a hash (docs/decisions/0004-codec-size.md).
 */
export function fingerprintOf(codec: { readonly schema: Schema }): string {
  return digestOf(JSON.stringify(canonical(codec.schema)));
}

/** First 64 bits, as 16 hex digits, of SHA-256 over `text` in UTF-8. */
export function digestOf(text: string): string {
  const { TextEncoder } = globalThis as unknown as { readonly TextEncoder: new () => Encoder };
  const [a, b] = sha256(new TextEncoder().encode(text));
  return [a, b].map((word) => ((word as number) >>> 0).toString(16).padStart(8, "0")).join("");
}
