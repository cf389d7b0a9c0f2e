/*
 * How what is scarce is shared among holders that nobody knows beforehand, and of which nothing can be taken back: by a dynamic
 * threshold (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998). The more is free, the
 * more each may hold; whoever holds more gets nothing until enough has come back. That needs no list of holders, only one comparison:
 *
 * - what comes back goes to those who hold little before those who hold much, until all have the same: max-min fairness;
 * - one that is alone gets 94 %, and all where there are no more than 16 places;
 * - k that take what they can have the same each, and leave about one part in 16 √k to whoever comes next.
 *
 * Their threshold is in proportion to what is free. Ours is to its square, so that one who comes late, and takes what it can for good,
 * leaves more to those behind it: of 8,192 places the first gets 7,696, then 385, 66, 20, 9, 4.
 */

/** At a free part of one in so many a holder may have everything. More keeps less in reserve. */
const freeParts = 16;

/** Whether one who holds `held` of a `total` may take `size` more of what is `free`. */
export function mayTake(held: number, free: number, total: number, size: number = 1): boolean {
  return size <= free && (held + size) * total <= (freeParts * free) ** 2;
}
