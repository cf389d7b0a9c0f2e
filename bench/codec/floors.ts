// What the goals that are short may ask for at most: `npm run bench -- codec --floors`.
import type { Floors } from "./floor.ts";
import { f64, i32, u64 } from "./floors-numbers.ts";
import { chain, map, tiny, user } from "./floors-objects.ts";
import { blob, textAscii, textChinese } from "./floors-text.ts";
import type { Peer, Prepared } from "./peer.ts";

/** By data set: those that have, or had, a goal that Pipit does not reach. */
export const floors: Readonly<Record<string, Floors>> = {
  tiny,
  user,
  chain,
  map,
  i32,
  f64,
  u64,
  textAscii,
  textChinese,
  blob,
};

/** Under which the two kinds of floors stand in the results. */
export const floorNames = { checked: "floor", unchecked: "floor without checks" } as const;

/** The floors of a data set as peers; for what has none they are Pipit itself. */
export function floorPeers(dataSet: string, pipit: Peer): readonly Peer[] {
  return (["checked", "unchecked"] as const).map((kind) => ({
    name: floorNames[kind],
    prepare(shape, value): Prepared | undefined {
      const { encode, decode } = floors[dataSet] ?? {};
      const own = { ...(encode?.[kind] && { encode: encode[kind] }), ...(decode?.[kind] && { decode: decode[kind] }) };
      const ours = pipit.prepare(shape, value);
      if (ours === undefined || Object.keys(own).length === 0) return undefined;
      const made = { ...ours, ...own } as Prepared;
      if (Buffer.compare(made.encode(value as never), ours.encode(ours.input as never)) !== 0) {
        throw new Error(`The ${floorNames[kind]} of ${dataSet} writes other bytes`);
      }
      return made;
    },
  }));
}
