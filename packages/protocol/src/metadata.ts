/** What {@link Metadata} can be made from. */
export type MetadataInit = Metadata | Readonly<Record<string, string | Uint8Array>>;

/** Longest metadata of one message on the wire. Headers are kept in memory per call: this bounds what a caller can pin. */
export const maxMetadataBytes = 8192;

/** Names: what every other system's headers accept, lower case so that there is one spelling. */
const namePattern = /^[a-z0-9_.-]{1,128}$/;

const utf8 = new TextEncoder();

/**
 * Names and values that travel beside a message: request ids, tenants, tokens. Names are lower-case ASCII; a value is a
 * string or bytes; one value per name. At most {@link maxMetadataBytes} together, checked when it is sent.
 */
export class Metadata implements Iterable<[string, string | Uint8Array]> {
  readonly #entries: Map<string, string | Uint8Array>;

  /** @throws TypeError for a bad name or value */
  constructor(init?: MetadataInit) {
    this.#entries = new Map();
    if (init === undefined) return;
    for (const [name, value] of isMetadata(init) ? init : Object.entries(init)) this.set(name, value);
  }

  /** The value of `name`, or undefined. */
  get(name: string): string | Uint8Array | undefined {
    return this.#entries.get(name);
  }

  /** The value of `name` where it is a string. */
  text(name: string): string | undefined {
    const value = this.#entries.get(name);
    return typeof value === "string" ? value : undefined;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Sets or replaces a value.
   *
   * @throws TypeError when the name is not `[a-z0-9_.-]`, 1 to 128 characters, or the value is neither string nor bytes
   */
  set(name: string, value: string | Uint8Array): this {
    if (!namePattern.test(name)) {
      throw new TypeError(`Metadata name ${JSON.stringify(name)}: expected 1 to 128 of a-z 0-9 _ . -`);
    }
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError(`Metadata value of "${name}": expected a string or bytes, got ${typeof value}`);
    }
    this.#entries.set(name, value);
    return this;
  }

  delete(name: string): boolean {
    return this.#entries.delete(name);
  }

  /** How many names there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of names and values as UTF-8, with three bytes for each pair's lengths. */
  get byteLength(): number {
    let total = 0;
    for (const [name, value] of this.#entries) {
      total += 3 + name.length + (typeof value === "string" ? utf8.encode(value).length : value.length);
    }
    return total;
  }

  [Symbol.iterator](): IterableIterator<[string, string | Uint8Array]> {
    return this.#entries.entries();
  }

  /** Names only: values may be secrets. */
  toJSON(): { readonly names: readonly string[] } {
    return { names: [...this.#entries.keys()] };
  }

  get [Symbol.toStringTag](): string {
    return "Metadata";
  }
}

function isMetadata(value: MetadataInit): value is Metadata {
  return typeof (value as Metadata)[Symbol.iterator] === "function";
}
