/** What Pipit wants to reach in a row: ratios to the fastest, and to the smallest, peer of that row. */
export interface Goal {
  readonly encode: number;
  readonly decode: number;
  /** A number of bytes where `bytesAbsolute`. */
  readonly bytes: number;
  readonly bytesAbsolute?: true;
  /** Peers that the goal for decoding is about; absent for all. */
  readonly decodePeers?: readonly string[];
}

/** By data set; compiled mode. */
export const goals: Readonly<Record<string, Goal>> = {
  tiny: { encode: 1.8, decode: 2.0, bytes: 11, bytesAbsolute: true },
  userAscii: { encode: 2.5, decode: 1.8, bytes: 1.0 },
  user: { encode: 1.6, decode: 1.5, bytes: 1.0 },
  users: { encode: 1.8, decode: 1.4, bytes: 1.0 },
  tree: { encode: 2.0, decode: 1.6, bytes: 1.0 },
  chain: { encode: 1.6, decode: 1.5, bytes: 1.0 },
  // Against messages that hold their keys: shared records keep all 1,000 elsewhere, and v8 makes such objects in C++.
  map: { encode: 1.0, decode: 1.1, bytes: 5.0, decodePeers: ["JSON", "msgpackr", "msgpackr in-band records"] },
  i32: { encode: 1.7, decode: 1.1, bytes: 0.95 },
  int: { encode: 0.9, decode: 0.9, bytes: 1.1 },
  f64: { encode: 1.5, decode: 1.2, bytes: 1.0 },
  u64: { encode: 1.8, decode: 0.95, bytes: 0.95 },
  textAscii: { encode: 0.95, decode: 1.4, bytes: 1.0 },
  textChinese: { encode: 0.8, decode: 2.0, bytes: 1.0 },
  blob: { encode: 1.0, decode: 0.7, bytes: 1.0 },
};

/** Data sets made of objects. */
export const objectSets: readonly string[] = ["tiny", "userAscii", "user", "users", "tree", "chain"];

/** The most that a process with many types may lose. */
export const mixedLoss = 0.12;

/** Interpreter against msgpackr's shared records, on objects. */
export const interpreterGoal = { peer: "msgpackr records", ratio: 0.8 };

/** CBOR against cbor-x with nothing kept between messages; never slower than JSON. */
export const anyGoal = { peer: "cbor-x", onObjects: 1.2, elsewhere: 1.0, json: 1.0 };
