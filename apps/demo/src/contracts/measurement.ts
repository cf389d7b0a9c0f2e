import { date, f64, type Infer, string, struct, uint } from "pipit";

/**
 * One measured value. `station` and `sequence` name it for ever: whoever gets it twice knows it again, so a sender that is
 * not sure may send it again.
 */
export const Measurement = struct({
  station: string,
  /** Counts a station's measurements from 1, over all its characteristics. */
  sequence: uint,
  /** What was measured: "shaft diameter". */
  characteristic: string,
  value: f64,
  time: date,
});
export type Measurement = Infer<typeof Measurement>;
