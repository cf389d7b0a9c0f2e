/**
 * The least that any encoder or decoder of Pipit's format has to do for one data set: hand-written for its value and no other,
 * the same bytes in a fresh `Uint8Array`. What a floor does not reach no codec of this format can.
 */
export interface Floor {
  /** With the checks that the format and the issue demand of a message such as this: the bound for Pipit. */
  readonly checked: (input: never) => unknown;
  /** With none: what is left when values and bytes are believed. */
  readonly unchecked?: (input: never) => unknown;
}

/** The floors of a data set; those that matter. */
export interface Floors {
  readonly encode?: Floor;
  readonly decode?: Floor;
}

/** Memory that messages are views on, as those of Pipit: each byte is written once. */
export class Slab {
  bytes!: Buffer;
  buffer!: ArrayBufferLike;
  view!: DataView;
  at = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.#renew();
  }

  /** Where `most` bytes are free. */
  take(most: number): number {
    if (this.#size - this.at < most) this.#renew();
    return this.at;
  }

  /** What was written from `start` to `end`. */
  message(start: number, end: number): Uint8Array {
    this.at = end;
    return new Uint8Array(this.buffer, start, end - start);
  }

  #renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(this.#size);
    this.buffer = this.bytes.buffer;
    this.view = new DataView(this.buffer);
    this.at = 0;
  }
}

/** Refuses the value or message: a floor need not say why. */
export function refuse(): never {
  throw new Error("Not the data set that this was written for");
}
