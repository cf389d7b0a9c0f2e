import type { SessionStream } from "./stream-state.ts";
import { generationMask, slotBits, slotMask } from "./wire.ts";

/** The open streams of a connection, found by the slot in the low bits of their ids (wire protocol, section "Streams"). */
export class StreamTable<S extends SessionStream> {
  readonly #slots: (S | undefined)[] = [];
  #count = 0;

  /** How many are open. */
  get count(): number {
    return this.#count;
  }

  /** The open stream with this id. */
  find(id: number): S | undefined {
    const stream = this.#slots[id & slotMask];
    return stream !== undefined && stream.id === id ? stream : undefined;
  }

  /** Whether a stream is open in the slot of this id, be it under another generation. */
  isTaken(id: number): boolean {
    return this.#slots[id & slotMask] !== undefined;
  }

  add(stream: S): void {
    const slot = stream.id & slotMask;
    // One after another: an array with holes is slow.
    while (this.#slots.length < slot) this.#slots.push(undefined);
    this.#slots[slot] = stream;
    this.#count++;
  }

  /** Nothing happens where it is gone already. */
  remove(stream: S): void {
    const slot = stream.id & slotMask;
    if (this.#slots[slot] !== stream) return;
    this.#slots[slot] = undefined;
    this.#count--;
  }

  /** Those that are open now. */
  all(): S[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  clear(): void {
    this.#slots.length = 0;
    this.#count = 0;
  }
}

/** Ids for the streams that a client opens: a slot is used again, under its next generation, once its stream has ended at both ends. */
export class StreamIds {
  /** By slot. */
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  /** Ids that are in use. */
  get count(): number {
    return this.#generations.length - this.#free.length;
  }

  take(): number {
    const slot = this.#free.length > 0 ? (this.#free.pop() as number) : this.#generations.push(0) - 1;
    return ((this.#generations[slot] as number) << slotBits) | slot;
  }

  /** The id was never on the wire. */
  giveBack(id: number): void {
    this.#free.push(id & slotMask);
  }

  /** The stream's end has come. */
  retire(id: number): void {
    const slot = id & slotMask;
    this.#generations[slot] = ((id >>> slotBits) + 1) & generationMask;
    this.#free.push(slot);
  }
}
