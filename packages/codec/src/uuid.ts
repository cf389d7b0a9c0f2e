/** The text form of UUIDs. */
import { expected, truncated } from "./fault.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => (i + 256).toString(16).slice(1));

/** Value of a hexadecimal digit: '0'..'9', 'A'..'F', 'a'..'f'. */
function digit(code: number): number {
  return code < 58 ? code - 48 : (code & 15) + 9;
}

export function writeUuid(bytes: Uint8Array, start: number, value: unknown): number {
  if (typeof value !== "string" || !UUID.test(value)) expected("uuid", value, "range");
  let at = 0;
  for (let i = 0; i < 16; i++, at += 2) {
    if (value.charCodeAt(at) === 45) at++;
    bytes[start + i] = (digit(value.charCodeAt(at)) << 4) | digit(value.charCodeAt(at + 1));
  }
  return start + 16;
}

export function readUuid(bytes: Uint8Array, start: number): string {
  if (bytes.length - start < 16) truncated();
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[start + i] as number] as string;
  }
  return text;
}
