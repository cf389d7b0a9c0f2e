import { Writer } from "@pipit/codec";
import { mostAtOnceAlone } from "./pace.ts";
import { chunkBytes } from "./wire.ts";

/** Slab that a turn's frames are written into; one is enough for hundreds of small calls. */
export const slabBytes: number = 64 * 1024;

/** Slab for items where nothing small is about; a little more than is sent at once, so that the last item fits. */
export const largeSlabBytes: number = mostAtOnceAlone + chunkBytes + 1024;

/** Large slabs kept: one is written into while the socket is at the other. */
const keptLargeSlabs = 2;

/** Slabs kept between turns, shared by all connections of the process: a connection holds none while it is quiet. */
const keptSlabs = 4;

/** A slab that has grown past this is not kept. */
const maxKeptBytes = 4 * slabBytes;

/** Memory of long messages kept for the next ones: a page that is touched first costs more than the copy into it. */
const keptLongBytes = 4 * 1024 * 1024;

/** Hands out slabs and takes them back. */
export class SlabPool {
  readonly #slabs: Writer[] = [];
  readonly #large: Writer[] = [];
  readonly #long: Writer[] = [];
  #longBytes = 0;

  take(): Writer {
    return this.#slabs.pop() ?? new Writer(slabBytes);
  }

  /** A slab for many items. */
  takeLarge(): Writer {
    return this.#large.pop() ?? new Writer(largeSlabBytes);
  }

  /** Nobody reads the slab, or the long buffer, any more. */
  give(slab: Writer): void {
    const isLarge = slab.bytes.length === largeSlabBytes;
    if (slab.bytes.length > maxKeptBytes && !isLarge) return this.giveLong(slab);
    slab.pos = 0;
    if (isLarge) {
      if (this.#large.length < keptLargeSlabs) this.#large.push(slab);
      return;
    }
    if (this.#slabs.length < keptSlabs) this.#slabs.push(slab);
  }

  /** A buffer of its own for one message that is likely to take `size` bytes. */
  takeLong(size: number): Writer {
    const index = this.#long.findIndex(({ bytes }) => bytes.length >= size);
    const [kept] = index < 0 ? [] : this.#long.splice(index, 1);
    if (kept === undefined) return new Writer(size);
    this.#longBytes -= kept.bytes.length;
    return kept;
  }

  /** Nobody reads the buffer any more. */
  giveLong(writer: Writer): void {
    if (this.#longBytes + writer.bytes.length > keptLongBytes) return;
    writer.pos = 0;
    this.#longBytes += writer.bytes.length;
    this.#long.push(writer);
  }
}
