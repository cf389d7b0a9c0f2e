import { type CborInput, close, faultPos, objects, open, pos } from "./cbor-input.ts";
import { readItem } from "./cbor-items.ts";
import { closePages } from "./cbor-strings.ts";
import { CBOR_MAX_DEPTH } from "./cbor-tags.ts";
import { Fault } from "./fault.ts";

/**
 * Objects, arrays, byte strings, dates and the like that any message may hold, whatever its size. One of them costs up to
 * 300 bytes of memory for one byte of input, so this is what bounds the memory a small message can take.
 */
export const CBOR_FREE_OBJECTS = 262_144;
/** Beyond that, so many bytes of message must stand for each object. */
const CBOR_BYTES_PER_OBJECT = 8;

/** How many objects a message of this size may hold. */
export function objectsIn(size: number): number {
  return Math.max(CBOR_FREE_OBJECTS, Math.ceil(size / CBOR_BYTES_PER_OBJECT));
}

/**
 * Reads one CBOR item (RFC 8949) at `from.pos`, inside `stop`, and leaves `from.pos` behind it, or at what is wrong.
 *
 * Maps whose keys are all text are plain objects, others are a `Map`, and so is every map with tag 259. Integers past
 * ±(2^53−1) and bignums are `bigint`. Tags without a value of their own in JavaScript are {@link Tagged}.
 *
 * @param maxDepth levels of arrays, maps and tags inside each other
 * @throws Fault for everything that is not well-formed or not valid, is nested too deep or holds too many objects
 */
export function readCbor(from: CborInput, stop: number, views: boolean, maxDepth: number = CBOR_MAX_DEPTH): unknown {
  try {
    open(from, stop, views, maxDepth);
    const value = readItem();
    from.pos = pos;
    from.objects = objects;
    return value;
  } catch (error) {
    // Nobody kept a path on the way here. Reading the same bytes again, and slowly, fails at the same place.
    const path: string[] = [];
    const at = faultPos;
    const fault =
      error instanceof RangeError && !/call stack/.test(error.message) ? new Fault("limit", error.message) : error;
    try {
      open(from, stop, views, maxDepth);
      readItem(path);
    } catch {
      if (fault instanceof Fault) fault.path.push(...path.reverse());
    }
    from.pos = at;
    throw fault;
  } finally {
    close();
    closePages();
  }
}
