/** Sets one key. Each import with a query of its own is another function, with a memory of its own in V8. */
export function set(object: Record<string, unknown>, key: string, value: unknown): void {
  object[key] = value;
}
