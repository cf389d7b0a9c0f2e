/**
 * Values in vector files: JSON, where an object with one key that starts with `$` is what JSON lacks: `$bigint` (digits),
 * `$number` (`NaN`, `-0`, `Infinity`), `$bytes` (hex), `$date` (milliseconds), `$map`, `$set`, `$typed` (name, elements),
 * `$record` (pairs, for keys that JSON loaders trip over).
 */
import { hex, unhex } from "./engines.ts";

export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: hex(value) };
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Map) return { $map: [...value].map(([k, v]) => [toJson(k), toJson(v)]) };
  if (value instanceof Set) return { $set: [...value].map(toJson) };
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value)) return { $typed: [value.constructor.name, [...(value as Float64Array)].map(toJson)] };
  const pairs = Object.entries(value).map(([k, v]) => [k, toJson(v)] as const);
  if (pairs.some(([k]) => k.startsWith("$") || k === "__proto__")) return { $record: pairs };
  return Object.fromEntries(pairs);
}

export function fromJson(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const [first] = Object.entries(json);
  const [tag, inner] = first ?? [];
  switch (tag) {
    case "$bigint":
      return BigInt(inner);
    case "$number":
      return Number(inner);
    case "$bytes":
      return unhex(inner);
    case "$date":
      return new Date(inner);
    case "$map":
      return new Map(inner.map((pair: unknown[]) => pair.map(fromJson)));
    case "$set":
      return new Set(inner.map(fromJson));
    case "$typed":
      return new (globalThis as unknown as Record<string, new (items: unknown) => unknown>)[inner[0]]!(
        inner[1].map(fromJson),
      );
    case "$record":
      return Object.fromEntries(inner.map(([k, v]: [string, unknown]) => [k, fromJson(v)]));
    default:
      return Object.fromEntries(Object.entries(json).map(([k, v]) => [k, fromJson(v)]));
  }
}
