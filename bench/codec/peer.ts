import type { Shape } from "./shape.ts";

/** A codec made ready for one data set: `encode(input)` gives bytes, `restore(decode(bytes))` the plain value again. */
export interface Prepared {
  /** The value as this codec wants it: made before the clock starts. */
  readonly input: unknown;
  readonly encode: (input: never) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Default: what was decoded is plain already. */
  readonly restore?: (decoded: unknown) => unknown;
}

/** A codec in one of its modes. */
export interface Peer {
  readonly name: string;
  /** Undefined where it cannot carry such values. */
  readonly prepare: (shape: Shape, value: unknown) => Prepared | undefined;
}
