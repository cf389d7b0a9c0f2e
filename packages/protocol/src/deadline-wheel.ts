import type { Clock } from "./clock.ts";

/*
 * A hierarchical timing wheel (Varghese and Lauck, 1987): three rings of 256 slots, of 1 ms, 256 ms and 65.5 s each. An
 * entry lies in the ring that its distance fits; when time reaches a slot of an outer ring, its entries move inwards.
 * Adding and removing are O(1) on intrusive lists, so a call brings its own links and nothing is allocated.
 *
 * One timer serves all entries. It is armed for the next slot that holds any, and is left alone when an entry is
 * removed: under load calls come and go for seconds between two firings.
 */

/** What the wheel holds: a call with its links. The fields belong to the wheel while the entry is in it. */
export interface WheelEntry {
  /** The moment at which {@link onDeadline} is due, on the wheel's clock. */
  readonly deadlineMs: number;
  /** The slot's list that the entry is in, or undefined. Start with undefined. */
  wheelSlot: WheelSlot | undefined;
  wheelNext: WheelEntry | undefined;
  wheelPrevious: WheelEntry | undefined;
  /** The deadline passed; the entry is out of the wheel. Must not throw. */
  onDeadline(): void;
}

/** The entries of one slot. */
export interface WheelSlot {
  first: WheelEntry | undefined;
}

const slotCount = 256;
const slotMask = slotCount - 1;
/** Ticks per slot, by ring. Divided by, not shifted: ticks of a process that runs for a month pass 32 bits. */
const slotTicks = [1, slotCount, slotCount * slotCount] as const;
const outermost = slotTicks.length - 1;
/** Farthest distance in ticks that the outermost ring can tell apart: about 4.6 hours. Later ones wait in its last slot. */
const horizonTicks = (slotCount - 1) * slotTicks[2];
/** Longest delay a timer is given: the systems' 32-bit limit. */
const maxDelayMs = 0x7fff_ffff;
/** A timer later than this, in milliseconds, was held up by a stall. */
const stallMs = 10;
/** Time after a stall for the kernel to hand on what came meanwhile: on a busy machine it is behind, too. In milliseconds. */
const stallGraceMs = 5;

/** Options of {@link DeadlineWheel}. */
export interface DeadlineWheelOptions {
  readonly clock: Clock;
}

/**
 * Deadlines of many calls on one timer, with a resolution of 1 ms and never early.
 *
 * A due entry is judged one turn of the event loop after the timer fired: when the process has stalled, timers run before
 * sockets are read, and a reply that lies there must win; a timer that is itself late waits a little more. The timer does not keep the process alive.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #originMs: number;
  /** Slots are made when something first lies in them: a client of few calls needs few of the 768. */
  readonly #rings: readonly (WheelSlot | undefined)[][] = [[], [], []];
  /** All ticks up to this one have been dealt with. */
  #tick = 0;
  /** Tick that the timer waits for; Infinity when none is armed. */
  #armedTick = Number.POSITIVE_INFINITY;
  /** When it is due. */
  #dueMs = 0;
  #disarm: (() => void) | undefined;
  #size = 0;
  /** Where the newest entry went: the calls of one turn mostly have one deadline. */
  #lastMs = Number.NaN;
  #lastSlot: WheelSlot = { first: undefined };
  #lastTick = 0;

  constructor(options: DeadlineWheelOptions) {
    this.#clock = options.clock;
    // A whole number, so that ticks and times convert without rounding errors.
    this.#originMs = Math.floor(options.clock.now());
  }

  /** Entries in the wheel. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes an entry in. One whose deadline is Infinity is left out; one in the past is due at once, but not before this
   * returns. The clock is read only when a timer must be armed. The wheel may be behind the present then, which costs an
   * entry one more move inwards and nothing else.
   */
  add(entry: WheelEntry): void {
    if (entry.wheelSlot !== undefined) this.remove(entry);
    if (entry.deadlineMs === Number.POSITIVE_INFINITY) return;
    if (entry.deadlineMs === this.#lastMs) link(this.#lastSlot, entry);
    else this.#lastTick = this.#place(entry);
    this.#size++;
    if (this.#lastTick < this.#armedTick) this.#arm(this.#lastTick);
  }

  /** Takes an entry out. Doing so twice, or without having added it, is fine. */
  remove(entry: WheelEntry): void {
    const slot = entry.wheelSlot;
    if (slot === undefined) return;
    const { wheelNext: next, wheelPrevious: previous } = entry;
    if (previous === undefined) slot.first = next;
    else previous.wheelNext = next;
    if (next !== undefined) next.wheelPrevious = previous;
    entry.wheelSlot = undefined;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    this.#size--;
  }

  /** Stops the timer and forgets all entries without a call. The wheel can be used again. */
  clear(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    for (const slot of this.#rings.flat()) {
      for (let entry = slot?.first; entry !== undefined; entry = slot?.first) this.remove(entry);
    }
  }

  /** Links the entry into the ring that its distance fits. Returns the tick at which that slot must be looked at. */
  #place(entry: WheelEntry): number {
    const now = this.#tick;
    const due = Math.max(Math.ceil(entry.deadlineMs - this.#originMs), now + 1);
    const tick = Math.min(due, now + horizonTicks);
    let level = 0;
    // The distance is counted in slots of the ring: a ring can hold the next 255 of them, never its current one.
    while (level < outermost && slotIndex(level, tick) - slotIndex(level, now) >= slotCount) level++;
    const index = slotIndex(level, tick);
    this.#lastMs = entry.deadlineMs;
    this.#lastSlot = this.#slot(level, index);
    link(this.#lastSlot, entry);
    return index * (slotTicks[level] as number);
  }

  #arm(tick: number): void {
    this.#disarm?.();
    this.#armedTick = tick;
    const nowMs = this.#clock.now();
    const delayMs = Math.min(maxDelayMs, Math.ceil(Math.max(0, tick + this.#originMs - nowMs)));
    this.#dueMs = nowMs + delayMs;
    this.#disarm = this.#clock.after(delayMs, () => this.#fired(), { background: true });
  }

  /** Lets the sockets be read before anything is judged late. */
  #fired(): void {
    const lateMs = this.#clock.now() - this.#dueMs;
    // Whatever is added meanwhile need not arm another.
    this.#armedTick = Number.NEGATIVE_INFINITY;
    if (lateMs < stallMs) this.#judgeNextTurn();
    else this.#disarm = this.#clock.after(stallGraceMs, () => this.#judgeNextTurn(), { background: true });
  }

  #judgeNextTurn(): void {
    this.#disarm = this.#clock.after(0, () => this.#advance(), { background: true });
  }

  #advance(): void {
    this.#disarm = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    const target = Math.floor(this.#clock.now() - this.#originMs);
    while (this.#size > 0) {
      const next = this.#nextTick();
      if (next > target) break;
      this.#moveTo(next);
      this.#visit(next);
    }
    this.#moveTo(Math.max(this.#tick, target));
    if (this.#size === 0) return;
    const next = this.#nextTick();
    if (next < this.#armedTick) this.#arm(next);
  }

  #moveTo(tick: number): void {
    this.#tick = tick;
    this.#lastMs = Number.NaN;
  }

  /** Moves entries of outer slots that begin at this tick inwards, then calls those that are due. */
  #visit(tick: number): void {
    for (let level = outermost; level > 0; level--) {
      if (tick % (slotTicks[level] as number) === 0) this.#cascade(this.#slot(level, slotIndex(level, tick)));
    }
    const slot = this.#slot(0, tick);
    for (let entry = slot.first; entry !== undefined; entry = slot.first) {
      this.remove(entry);
      entry.onDeadline();
    }
  }

  #cascade(slot: WheelSlot): void {
    let entry = slot.first;
    slot.first = undefined;
    while (entry !== undefined) {
      const next: WheelEntry | undefined = entry.wheelNext;
      const due = Math.ceil(entry.deadlineMs - this.#originMs);
      // Due at this very tick: the innermost slot is visited right after.
      if (due <= this.#tick) link(this.#slot(0, this.#tick), entry);
      else this.#place(entry);
      entry = next;
    }
  }

  /** The earliest tick after the current one at which a slot with entries must be looked at; Infinity when there is none. */
  #nextTick(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let level = 0; level <= outermost; level++) {
      const current = slotIndex(level, this.#tick);
      for (let step = 1; step < slotCount; step++) {
        if (this.#rings[level]?.[(current + step) & slotMask]?.first === undefined) continue;
        earliest = Math.min(earliest, (current + step) * (slotTicks[level] as number));
        break;
      }
    }
    return earliest;
  }

  #slot(level: number, index: number): WheelSlot {
    const ring = this.#rings[level] as (WheelSlot | undefined)[];
    return (ring[index & slotMask] ??= { first: undefined });
  }
}

function slotIndex(level: number, tick: number): number {
  return Math.floor(tick / (slotTicks[level] as number));
}

/** Behind the first one: the slot is old, and an old object that is made to point at a young one costs the collector. */
function link(slot: WheelSlot, entry: WheelEntry): void {
  const { first } = slot;
  const second = first?.wheelNext;
  entry.wheelSlot = slot;
  entry.wheelPrevious = first;
  entry.wheelNext = second;
  if (second !== undefined) second.wheelPrevious = entry;
  if (first === undefined) slot.first = entry;
  else first.wheelNext = entry;
}
