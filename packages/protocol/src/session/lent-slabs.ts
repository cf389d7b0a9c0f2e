import type { Writer } from "@pipit/codec";
import type { SlabPool } from "./slab-pool.ts";

/** Slabs that are waited for; where more are under way the peer reads slowly, and memory that the collector takes is no matter. */
const maxLentSlabs = 4;

/** Slabs of one connection that its socket is still at. */
export class LentSlabs {
  readonly #slabs: Writer[] = [];

  add(slab: Writer): void {
    if (this.#slabs.length < maxLentSlabs) this.#slabs.push(slab);
  }

  /** The socket is done with all that it was given. */
  giveTo(pool: SlabPool): void {
    for (const slab of this.#slabs) pool.give(slab);
    this.#slabs.length = 0;
  }
}
