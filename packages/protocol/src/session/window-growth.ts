/*
 * How large the windows of a connection's streams are. A window of which half is used up within one round trip is doubled: its
 * reader is held up by the path. So it ends at two to four times what the path holds. QUIC's receivers measure alike and take
 * twice as much (Chromium's `quic_flow_controller.cc`); but what the window has room for stands in the kernel ahead of small calls.
 */

/** A window of which half is used up within this many round trips is doubled. */
const growthRoundTrips = 1;

/** Round trips measured before a window grows: one alone may have met a busy moment, and windows do not shrink. */
const leastMeasurements = 4;

/** Renewals between two measurements of the path. */
const renewalsPerPing = 16;

/** What is looked at of a stream. */
export interface RenewedWindow {
  readonly windowBytes: number;
  /** When it was last renewed. */
  renewedAtMs: number;
}

/** Lets windows grow by what pings measure of the path. Sends none itself, and has no clock. */
export class WindowGrowth {
  /** What the window of each stream grows to when it is next renewed. */
  windowBytes: number;
  readonly #mostBytes: number;
  /** Shortest round trip seen, so that what waits in queues does not count; 0 before one was. */
  #roundTripMs = 0;
  #measurements = 0;
  /** When the ping left that is on the way. */
  #pingedAtMs: number | undefined;
  #renewals = 0;

  constructor(windowBytes: number, mostBytes: number) {
    this.windowBytes = windowBytes;
    this.#mostBytes = mostBytes;
  }

  /** A stream has used up half of its window, which is about to be renewed. True when a ping is to measure the path now. */
  renew(stream: RenewedWindow, nowMs: number): boolean {
    if (this.windowBytes >= this.#mostBytes) return false;
    const sinceMs = nowMs - stream.renewedAtMs;
    stream.renewedAtMs = nowMs;
    const isMeasured = this.#measurements >= leastMeasurements;
    const isHeldUp = sinceMs < growthRoundTrips * this.#roundTripMs && stream.windowBytes === this.windowBytes;
    if (isMeasured && isHeldUp) this.windowBytes = Math.min(this.#mostBytes, this.windowBytes * 2);
    // A peer that is behind leaves pings unanswered: one more after a while.
    if (this.#renewals++ % renewalsPerPing > 0 && (isMeasured || this.#pingedAtMs !== undefined)) return false;
    this.#pingedAtMs = nowMs;
    return true;
  }

  /** A ping came back, as far as one is on the way. */
  onPong(nowMs: number): void {
    if (this.#pingedAtMs === undefined) return;
    const tookMs = nowMs - this.#pingedAtMs;
    this.#pingedAtMs = undefined;
    this.#measurements++;
    this.#roundTripMs = this.#roundTripMs === 0 ? tookMs : Math.min(this.#roundTripMs, tookMs);
  }
}
