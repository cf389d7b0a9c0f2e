import {
  array,
  clientStream,
  enumeration,
  f64,
  type Infer,
  optional,
  service,
  string,
  struct,
  uint,
  unary,
} from "pipit";
import { Measurement } from "./measurement.ts";

/** Which pair of charts a characteristic is kept on: means and ranges, means and standard deviations, single values. */
export const ChartKind = enumeration(["xbar-r", "xbar-s", "i-mr"]);
export type ChartKind = Infer<typeof ChartKind>;

/** One row of the control plan: what the drawing demands, and how the process is watched. */
export const Specification = struct({
  characteristic: string,
  unit: string,
  /** Specification limits; a value on a limit is inside. Absent: nothing to judge against. */
  lower: optional(f64),
  upper: optional(f64),
  chart: ChartKind,
  /** Measurements per point: 2 to 10, and 1 for single values. */
  subgroupSize: uint,
  /** Points from which the control limits are computed; then they stay. */
  baselinePoints: uint,
});
export type Specification = Infer<typeof Specification>;

/** Where a value lies: inside its specification limits, below or above them, or there are none. */
export const Verdict = enumeration(["ok", "below", "above", "unspecified"]);
export type Verdict = Infer<typeof Verdict>;

/** How many measurements the stream had: all of them are recorded. */
export const Acknowledgement = struct({ recorded: uint });

/** Judges measurements against the control plan, and hands them on to the charts. Keeps nothing: any instance will do. */
export const Inspection = service("demo.Inspection", {
  /**
   * A station's measurements in order, for as long as it likes: there is no deadline. The answer comes when the station ends
   * its stream and everything in it is recorded. After a loss it streams again from the last acknowledged sequence; the
   * charts drop what they know.
   */
  submit: clientStream(Measurement, Acknowledgement, {
    idempotency: "idempotent",
    errors: { unknownCharacteristic: struct({ characteristic: string }) },
  }),
  /** Looks one value up. */
  judge: unary(struct({ characteristic: string, value: f64 }), struct({ verdict: Verdict }), {
    idempotency: "safe",
    errors: { unknownCharacteristic: struct({ characteristic: string }) },
  }),
  /** The control plan. */
  plan: unary(struct({}), struct({ specifications: array(Specification) }), { idempotency: "safe" }),
});
