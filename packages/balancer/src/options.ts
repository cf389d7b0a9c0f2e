/** Options with every default filled in. */
export type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** `defaults`, and over them what is given and not `undefined`. */
export function filled<T extends object>(given: T | undefined, defaults: Filled<T>): Filled<T> {
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}
