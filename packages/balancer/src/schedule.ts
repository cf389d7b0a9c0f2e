/**
 * A smooth sequence over weights: in any prefix of t turns, entry i has had its share t·wᵢ/Σw to within less than one
 * turn, and over Σw turns exactly wᵢ turns.
 *
 * The k-th turn of entry i may not come so early that it leads by more than D = 1 − 1/(2n − 2), nor so late that it lags
 * by more: that gives it a first and a last moment, and the one whose last moment is nearest goes first. R. Tijdeman,
 * "The chairman assignment problem" (1980), proves that this always works out and that no smaller D does for all weights.
 * The usual "add the weight, take the largest" has no such proof and costs O(n) for each turn.
 */

/** Cycles up to this many turns are remembered, so that they cost one array read from the second round on. 256 KiB. */
const longestKeptCycle = 65_536;

/** What fractional weights are rounded to: parts of the largest. */
const fractionSteps = 1_000;

/** Entries by number, `weights` being whole numbers ≥ 1. Endless: the cycle repeats. */
export class Schedule {
  readonly #weights: readonly number[];
  readonly #total: number;
  /** The cycle as far as it is known. */
  readonly #cycle: Uint32Array;
  /** Turns taken in this round. */
  #turn = 0;
  /** Turns known in `#cycle`; once it is `#total`, nothing is computed any more. */
  #known = 0;
  /** Entries whose next turn may not come yet, by when it may. */
  readonly #waiting: Heap;
  /** Entries whose next turn may come, by when it must. */
  readonly #ready: Heap;
  readonly #taken: Uint32Array;
  readonly #first: Float64Array;
  readonly #last: Float64Array;

  constructor(weights: readonly number[]) {
    const count = weights.length;
    this.#weights = weights;
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#cycle = new Uint32Array(this.#total <= longestKeptCycle ? this.#total : 0);
    this.#taken = new Uint32Array(count);
    this.#first = new Float64Array(count);
    this.#last = new Float64Array(count);
    this.#waiting = new Heap(this.#first, this.#first);
    this.#ready = new Heap(this.#last, this.#first);
    this.#beginRound();
  }

  /** How many turns a round has. */
  get length(): number {
    return this.#total;
  }

  /** Whose turn it is. */
  next(): number {
    if (this.#known === this.#total) {
      if (this.#turn === this.#total) this.#turn = 0;
      return this.#cycle[this.#turn++] ?? 0;
    }
    return this.#compute();
  }

  #compute(): number {
    this.#turn += 1;
    const entry = this.#decide(this.#turn);
    if (this.#cycle.length > 0) this.#cycle[this.#known++] = entry;
    if (this.#turn === this.#total) {
      this.#turn = 0;
      if (this.#known < this.#total) this.#beginRound();
    }
    return entry;
  }

  #decide(turn: number): number {
    while (this.#waiting.size > 0 && this.#waiting.lowest <= turn) this.#ready.push(this.#waiting.pop());
    const entry = this.#ready.pop();
    this.#taken[entry] = (this.#taken[entry] ?? 0) + 1;
    this.#place(entry);
    this.#waiting.push(entry);
    return entry;
  }

  #beginRound(): void {
    this.#waiting.clear();
    this.#ready.clear();
    for (let entry = 0; entry < this.#weights.length; entry += 1) {
      this.#taken[entry] = 0;
      this.#place(entry);
      this.#waiting.push(entry);
    }
  }

  /** Sets the first and last moment of an entry's next turn. All quantities are whole, so nothing is rounded. */
  #place(entry: number): void {
    const scale = Math.max(1, 2 * this.#weights.length - 2);
    const slack = Math.max(0, scale - 1);
    const before = this.#taken[entry] ?? 0;
    const share = (this.#weights[entry] ?? 1) * scale;
    this.#first[entry] = Math.ceil((((before + 1) * scale - slack) * this.#total) / share);
    this.#last[entry] = Math.floor(((before * scale + slack) * this.#total) / share) + 1;
  }
}

/** The smallest whole numbers in the same proportion; fractions are kept to a thousandth of the largest. */
export function wholeWeights(weights: readonly number[]): number[] {
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const whole = weights.every((weight) => Number.isSafeInteger(weight) && weight >= 1)
    ? [...weights]
    : weights.map((weight) => Math.max(1, Math.round((weight / largest) * fractionSteps)));
  const divisor = whole.reduce(greatestCommonDivisor, 0);
  return whole.map((weight) => weight / divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** A binary heap of entry numbers by two keys, then by number. */
class Heap {
  size = 0;
  readonly #key: Float64Array;
  readonly #tie: Float64Array;
  readonly #entries: Uint32Array;

  constructor(key: Float64Array, tie: Float64Array) {
    this.#key = key;
    this.#tie = tie;
    this.#entries = new Uint32Array(key.length);
  }

  /** The key of what `pop` would return. */
  get lowest(): number {
    return this.#key[this.#entries[0] ?? 0] ?? 0;
  }

  clear(): void {
    this.size = 0;
  }

  push(entry: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#entries[parent] ?? 0;
      if (!this.#isBefore(entry, above)) break;
      this.#entries[at] = above;
      at = parent;
    }
    this.#entries[at] = entry;
  }

  pop(): number {
    const top = this.#entries[0] ?? 0;
    this.size -= 1;
    const entry = this.#entries[this.size] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      const right = child + 1;
      if (right < this.size && this.#isBefore(this.#entries[right] ?? 0, this.#entries[child] ?? 0)) child = right;
      const below = this.#entries[child] ?? 0;
      if (!this.#isBefore(below, entry)) break;
      this.#entries[at] = below;
      at = child;
    }
    this.#entries[at] = entry;
    return top;
  }

  #isBefore(a: number, b: number): boolean {
    const keys = (this.#key[a] ?? 0) - (this.#key[b] ?? 0);
    if (keys !== 0) return keys < 0;
    const ties = (this.#tie[a] ?? 0) - (this.#tie[b] ?? 0);
    return ties !== 0 ? ties < 0 : a < b;
  }
}
