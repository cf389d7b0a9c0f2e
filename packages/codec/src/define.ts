/** Makes an own property whatever its name: `__proto__` by assignment would replace the prototype. */
export function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads a property; one with the name of a member of `Object.prototype` only where the object has its own. */
export function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return name in Object.prototype && !Object.hasOwn(object, name) ? undefined : object[name];
}
