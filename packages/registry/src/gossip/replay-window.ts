/**
 * Which counters of one sender have been seen: the highest, and a bit for each of the 64 below it. What is older is
 * refused (RFC 6479's idea, at the size that fits in three numbers: a node keeps one of these per peer).
 */
export class ReplayWindow {
  #highest = -1;
  #recent = 0; // bit i: highest − i was seen, for i in 0..31
  #older = 0; // the same for i in 32..63

  /** True, and remembered, when this counter is new. */
  accept(counter: number): boolean {
    const ahead = counter - this.#highest;
    if (ahead > 0) {
      this.#shift(ahead);
      this.#highest = counter;
      this.#recent |= 1;
      return true;
    }
    const age = -ahead;
    if (age > 63) return false;
    const bit = 1 << (age & 31);
    if (age < 32) {
      if ((this.#recent & bit) !== 0) return false;
      this.#recent |= bit;
    } else {
      if ((this.#older & bit) !== 0) return false;
      this.#older |= bit;
    }
    return true;
  }

  #shift(by: number): void {
    if (by >= 64) {
      this.#recent = 0;
      this.#older = 0;
    } else if (by >= 32) {
      this.#older = by === 32 ? this.#recent : this.#recent << (by - 32);
      this.#recent = 0;
    } else {
      this.#older = (this.#older << by) | (this.#recent >>> (32 - by));
      this.#recent <<= by;
    }
  }
}
