import { canonical, type Schema } from "./schema.ts";
import { sha256 } from "./sha256.ts";

interface Encoder {
  encode(text: string): Uint8Array;
}

/**
 * First 64 bits, as 16 hex digits, of SHA-256 over the canonical schema: its names, order and types, as JSON without
 * spaces (docs/codec-format.md, section 8).
 */
export function fingerprintOf(schema: Schema): string {
  return digestOf(JSON.stringify(canonical(schema)));
}

/** First 64 bits, as 16 hex digits, of SHA-256 over `text` in UTF-8. */
export function digestOf(text: string): string {
  const { TextEncoder } = globalThis as unknown as { readonly TextEncoder: new () => Encoder };
  const [a, b] = sha256(new TextEncoder().encode(text));
  return [a, b].map((word) => ((word as number) >>> 0).toString(16).padStart(8, "0")).join("");
}
