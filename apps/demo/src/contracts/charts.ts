import {
  array,
  date,
  enumeration,
  f64,
  type Infer,
  nullable,
  optional,
  serverStream,
  service,
  string,
  struct,
  u8,
  uint,
  unary,
  union,
} from "pipit";
import { ChartKind, Verdict } from "./inspection.ts";

/** A measurement as the inspection hands it on; its characteristic is said once, beside all of them. */
export const Inspected = struct({ station: string, sequence: uint, value: f64, time: date, verdict: Verdict });
export type Inspected = Infer<typeof Inspected>;

/** Centre line and control limits of one chart: three sigma either side, never below 0 for a spread. */
export const ControlLimits = struct({ lower: f64, centre: f64, upper: f64 });
export type ControlLimits = Infer<typeof ControlLimits>;

/** Limits of a pair of charts, once the baseline is complete. */
export const ChartLimits = struct({
  /** Of the means, or of the single values. */
  location: ControlLimits,
  /** Of the ranges, standard deviations or moving ranges. */
  spread: ControlLimits,
  /** Standard deviation of single measurements within subgroups. */
  sigmaWithin: f64,
  /** From how many points. */
  basedOn: uint,
});
export type ChartLimits = Infer<typeof ChartLimits>;

/** One point on both charts of a pair. */
export const Point = struct({
  /** From 1, per characteristic. */
  number: uint,
  location: f64,
  /** Null for the first single value, which has no moving range. */
  spread: nullable(f64),
  /** Which measurement completed the point. */
  station: string,
  sequence: uint,
  time: date,
});
export type Point = Infer<typeof Point>;

/** A rule began to be violated. As long as it stays violated there is no further alarm for it. */
export const Alarm = struct({
  /** The same for whoever finds it: characteristic, chart, rule and point. */
  id: string,
  characteristic: string,
  chart: enumeration(["location", "spread"]),
  /** Nelson rule, 1 to 8. */
  rule: u8,
  /** Number of the point that completed the pattern. */
  point: uint,
  value: f64,
  station: string,
  sequence: uint,
  time: date,
  /** The rule in words. */
  description: string,
});
export type Alarm = Infer<typeof Alarm>;

/** Who keeps the state of a characteristic. The version rises with each change: it is the fence. */
export const Ownership = struct({ owner: string, version: uint, time: date });
export type Ownership = Infer<typeof Ownership>;

/** What happens on a characteristic's charts, numbered from 1 without gaps. */
export const ChartEvent = struct({
  number: uint,
  event: union({ owner: Ownership, limits: ChartLimits, point: Point, alarm: Alarm }),
});
export type ChartEvent = Infer<typeof ChartEvent>;

/** One characteristic's charts at a glance. */
export const ChartSummary = struct({
  characteristic: string,
  chart: ChartKind,
  unit: string,
  owner: string,
  version: uint,
  /** Number of the latest event: what `watch` can begin after. */
  lastEvent: uint,
  pointCount: uint,
  alarmCount: uint,
  /** Measurements recorded, and those of them outside of the specification limits. */
  measurementCount: uint,
  outOfSpecification: uint,
  limits: optional(ChartLimits),
});
export type ChartSummary = Infer<typeof ChartSummary>;

/** What the charts have of one station and characteristic. */
export const Source = struct({
  station: string,
  characteristic: string,
  lastSequence: uint,
  /** Measurements recorded, each once. */
  recorded: uint,
  /** Repetitions that were dropped. */
  duplicates: uint,
});
export type Source = Infer<typeof Source>;

/** How well the process fits between its specification limits; indices are absent where a limit or the spread is. */
export const Capability = struct({
  characteristic: string,
  unit: string,
  lower: optional(f64),
  upper: optional(f64),
  /** Of the latest measurements, at most 500. */
  count: uint,
  mean: f64,
  sigmaWithin: optional(f64),
  sigmaOverall: f64,
  cp: optional(f64),
  cpk: optional(f64),
  pp: optional(f64),
  ppk: optional(f64),
  /** Equal bins from `from` to `to`. */
  histogram: struct({ from: f64, to: f64, counts: array(uint) }),
});
export type Capability = Infer<typeof Capability>;

const unknownCharacteristic = struct({ characteristic: string });

/**
 * Keeps a pair of control charts per characteristic, applies the Nelson rules and opens a ticket per alarm. Calls to `record`
 * carry the characteristic as `hashKey`, so that one instance has its state at hand; the others can be asked anything
 * else, since events are shared.
 */
export const Charts = service("demo.Charts", {
  /** Adds measurements of one characteristic, in order. Those known already are counted and dropped. */
  record: unary(
    struct({ characteristic: string, measurements: array(Inspected) }),
    struct({ recorded: uint, duplicates: uint, owner: string, version: uint }),
    { idempotency: "idempotent", errors: { unknownCharacteristic } },
  ),
  /**
   * Points, alarms, limits and changes of owner after event number `after`: first those that were, then those to come, until
   * the caller leaves. After a loss, watch again with the last number seen: nothing is missed.
   */
  watch: serverStream(struct({ characteristic: string, after: uint }), ChartEvent, {
    idempotency: "safe",
    errors: { unknownCharacteristic },
  }),
  /** All characteristics. */
  list: unary(struct({}), struct({ charts: array(ChartSummary) }), { idempotency: "safe" }),
  capability: unary(struct({ characteristic: string }), Capability, {
    idempotency: "safe",
    errors: { unknownCharacteristic },
  }),
  /** Per station and characteristic what was recorded: where a station goes on, and the proof that nothing was lost. */
  sources: unary(struct({ station: optional(string) }), struct({ sources: array(Source) }), { idempotency: "safe" }),
});
