/*
 * How much of long messages and items may be on the way to the peer's session. What stands in the kernel's buffers, megabytes on a
 * fast path, goes ahead of every small frame that is written later; the socket cannot tell us of it, but the peer can: a
 * ping behind some bytes of bulk comes back when it has read them.
 *
 * While nothing small is sent there is nothing to hold up, and the bound is far: a peer whose process waits for its turn on a busy machine
 * finds enough to read. Beside small messages the bound is twice the product of bandwidth and round trip, both as measured, after BBR (Cardwell et al., "BBR:
 * Congestion-Based Congestion Control", ACM Queue 14, 2016): its window of two such products, its samples of the rate of delivery
 * over what arrived since the last that was known of when the mark was made. It starts small, doubles within each round trip where the path takes it, and falls back where it does not.
 */

/** Always allowed: some parts of a long message. */
const leastBytes = 256 * 1024;

/** Allowed where nothing small is about: what the kernel's buffers hold by themselves. */
const aloneBytes = 4 * 1024 * 1024;

/** Handed on in one piece where nothing small is about, and where something is. */
export const mostAtOnceAlone: number = 1024 * 1024;
const mostAtOnceBeside = 256 * 1024;

/** Bulk sent since the last small message, past which the next is not waited for: a few ten milliseconds of a fast path. */
const recentBytes = 64 * 1024 * 1024;

/** Never passed: 100 MB/s at a round trip of 80 ms, twice. */
const mostBytes = 16 * 1024 * 1024;

/** Marks lie at least so far apart; less than this is on the way unmeasured. */
const leastMarkBytes = 128 * 1024;

/** Marks within one full window. */
const marksPerWindow = 4;

/** Products of bandwidth and round trip that may be on the way. */
const gain = 2;

/** What the best rate seen is worth at each next sample. */
const rateMemory = 0.9;

/** A shortest round trip is believed for so long, in milliseconds, as in BBR. */
const roundTripMemoryMs = 10_000;

/** Shortest round trip believed, in milliseconds: a clock may stand still for one. Within a machine it is 0.02, and each time that of small calls. */
const leastRoundTripMs = 0.01;

interface Mark {
  readonly number: number;
  /** Bytes handed on when it was made, it being behind them. */
  readonly sentBytes: number;
  /** Bytes known to have arrived when it was made. */
  readonly arrivedBytes: number;
  readonly madeAtMs: number;
  /** When those had arrived; where nothing was on the way then, when the next bytes were handed on. */
  readonly arrivedAtMs: number;
}

/** Bounds what one connection has on the way. Counts only bulk: requests and replies of one frame pass freely. */
export class Pace {
  #sentBytes = 0;
  #arrivedBytes = 0;
  #markedBytes = 0;
  /** When the last mark came back, or sending began anew. */
  #arrivedAtMs = 0;
  /** No mark is on the way, and nothing was handed on since the last one came back. */
  #rests = true;
  #productBytes = leastBytes;
  /** Bytes that had been handed on when a small message was last sent. */
  #smallAtBytes = Number.NEGATIVE_INFINITY;
  #bytesPerMs = 0;
  #roundTripMs = Number.POSITIVE_INFINITY;
  #roundTripAtMs = 0;
  #marks: Mark[] = [];
  #nextNumber = 0;

  /** Bytes that may still be handed on before the next mark comes back; what begins while there are some may pass it. */
  get roomBytes(): number {
    return this.#windowBytes - (this.#sentBytes - this.#arrivedBytes);
  }

  /** Bytes that may be handed on in one piece, for which a small message would wait. */
  get mostAtOnceBytes(): number {
    return this.isAlone ? mostAtOnceAlone : mostAtOnceBeside;
  }

  /** Whether nothing small has been sent for a while. */
  get isAlone(): boolean {
    return this.#sentBytes - this.#smallAtBytes > recentBytes;
  }

  get #windowBytes(): number {
    return this.isAlone ? Math.max(aloneBytes, this.#productBytes) : this.#productBytes;
  }

  /**
   * Whether a mark must follow now. Asked whenever bytes were sent or the bound has changed: so that less than half of the
   * bound is ever unmarked, and where there is no room a mark is on the way that will make some.
   */
  get isMarkDue(): boolean {
    return this.#sentBytes - this.#markedBytes >= Math.max(leastMarkBytes, this.#windowBytes / marksPerWindow);
  }

  /** A request or reply of one frame was sent. */
  small(): void {
    this.#smallAtBytes = this.#sentBytes;
  }

  /** Bytes of bulk were handed on. The clock is asked only where nothing was on the way. */
  sent(bytes: number, clock: { nowMs(): number }): void {
    this.#sentBytes += bytes;
    if (!this.#rests) return;
    this.#rests = false;
    this.#arrivedAtMs = clock.nowMs();
  }

  /** Notes a mark behind what was handed on, and gives its number, below 2³². */
  mark(nowMs: number): number {
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    this.#markedBytes = this.#sentBytes;
    this.#marks.push({
      number,
      sentBytes: this.#sentBytes,
      arrivedBytes: this.#arrivedBytes,
      madeAtMs: nowMs,
      arrivedAtMs: this.#arrivedAtMs,
    });
    return number;
  }

  /** A mark came back, and with it those before it. Numbers that are not on the way are ignored. */
  returned(number: number, nowMs: number): void {
    const index = this.#marks.findIndex((mark) => mark.number === number);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    this.#marks.splice(0, index + 1);
    this.#arrivedBytes = mark.sentBytes;
    this.#arrivedAtMs = nowMs;
    this.#rests = this.#marks.length === 0;
    const tookMs = Math.max(leastRoundTripMs, nowMs - mark.madeAtMs);
    if (tookMs <= this.#roundTripMs || nowMs - this.#roundTripAtMs > roundTripMemoryMs) {
      this.#roundTripMs = tookMs;
      this.#roundTripAtMs = nowMs;
    }
    // From when the bytes before these had arrived, and not from when the mark was made: a long turn of ours writes for longer than the
    // mark behind it takes, and a rate taken from the mark alone would be several times the path's.
    const sample = (mark.sentBytes - mark.arrivedBytes) / Math.max(leastRoundTripMs, nowMs - mark.arrivedAtMs);
    this.#bytesPerMs = Math.max(sample, this.#bytesPerMs * rateMemory);
    const product = gain * this.#bytesPerMs * this.#roundTripMs;
    this.#productBytes = Math.min(mostBytes, Math.max(leastBytes, Math.floor(product)));
  }
}
