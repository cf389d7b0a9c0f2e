import { array, f64, type Infer, optional, record, struct, u8, uint } from "pipit";
import {
  type Alarm,
  type ChartEvent,
  ChartLimits,
  type Inspected,
  Point,
  type Specification,
} from "../contracts/index.ts";
import { individualsLimits, type PairOfLimits, xbarRLimits, xbarSLimits } from "../statistics/control-limits.ts";
import { longestPattern, ruleDescriptions, violatedRules } from "../statistics/nelson-rules.ts";
import { mean, range, standardDeviation } from "../statistics/summary.ts";

/** What happens on a chart, before it has a number. */
export type ChartHappening = Exclude<ChartEvent["event"], { readonly type: "owner" }>;

/** What is known of one station's measurements. */
const SourceCount = struct({ lastSequence: uint, recorded: uint, duplicates: uint });
export type SourceCount = Infer<typeof SourceCount>;

/**
 * All that a pair of charts has to remember, as plain data: it is stored after each batch, and whoever takes the
 * characteristic over goes on from there.
 */
export const ChartState = struct({
  pointCount: uint,
  alarmCount: uint,
  outOfSpecification: uint,
  /** Values of the subgroup under way. */
  open: array(f64),
  /** The single value before, for the moving range. */
  previous: optional(f64),
  /** Points until there are limits, afterwards as many as the longest pattern takes. */
  recent: array(Point),
  limits: optional(ChartLimits),
  /** Rules that the newest point violates: an alarm is given when one begins to be violated. */
  violated: struct({ location: array(u8), spread: array(u8) }),
  sources: record(SourceCount),
});
export type ChartState = Infer<typeof ChartState>;

export function emptyChart(): ChartState {
  return {
    pointCount: 0,
    alarmCount: 0,
    outOfSpecification: 0,
    open: [],
    recent: [],
    violated: { location: [], spread: [] },
    sources: {},
  };
}

/**
 * Takes a measurement in: changes `state` and says what happened. `undefined` for one that is known already.
 *
 * Every sender streams a station's measurements in order and begins again at or before the last one recorded, so that a
 * sequence not above the latest is always a repetition, whoever brings it.
 */
export function takeIn(
  state: ChartState,
  specification: Specification,
  measurement: Inspected,
): ChartHappening[] | undefined {
  state.sources[measurement.station] ??= { lastSequence: 0, recorded: 0, duplicates: 0 };
  const source = state.sources[measurement.station] as SourceCount;
  if (measurement.sequence <= source.lastSequence) {
    source.duplicates++;
    return undefined;
  }
  source.lastSequence = measurement.sequence;
  source.recorded++;
  if (measurement.verdict === "below" || measurement.verdict === "above") state.outOfSpecification++;

  const point = plot(state, specification, measurement);
  if (point === undefined) return [];
  state.recent.push(point);
  const happenings: ChartHappening[] = [{ type: "point", value: point }];
  if (state.limits !== undefined) {
    happenings.push(...alarmsOf(state, specification, state.limits, state.recent));
  } else if (state.recent.length >= specification.baselinePoints) {
    state.limits = { ...limitsOf(specification, state.recent), basedOn: state.recent.length };
    happenings.push({ type: "limits", value: state.limits });
    // The baseline is judged by its own limits, point by point, as one would look over a chart just drawn.
    for (let count = 1; count <= state.recent.length; count++) {
      happenings.push(...alarmsOf(state, specification, state.limits, state.recent.slice(0, count)));
    }
  }
  if (state.limits !== undefined) state.recent = state.recent.slice(-longestPattern);
  return happenings;
}

/** The point that a measurement completes, if it does. */
function plot(state: ChartState, { chart, subgroupSize }: Specification, measurement: Inspected): Point | undefined {
  const { station, sequence, time, value } = measurement;
  const ofThis = { station, sequence, time };
  if (chart === "i-mr") {
    const spread = state.previous === undefined ? null : Math.abs(value - state.previous);
    state.previous = value;
    return { number: ++state.pointCount, location: value, spread, ...ofThis };
  }
  state.open.push(value);
  if (state.open.length < subgroupSize) return undefined;
  const values = state.open;
  state.open = [];
  const spread = chart === "xbar-r" ? range(values) : standardDeviation(values);
  return { number: ++state.pointCount, location: mean(values), spread, ...ofThis };
}

function limitsOf({ chart, subgroupSize }: Specification, points: readonly Point[]): PairOfLimits {
  const locations = points.map(({ location }) => location);
  const spreads = points.flatMap(({ spread }) => spread ?? []);
  switch (chart) {
    case "xbar-r":
      return xbarRLimits(locations, spreads, subgroupSize);
    case "xbar-s":
      return xbarSLimits(locations, spreads, subgroupSize);
    case "i-mr":
      return individualsLimits(locations, spreads);
    default:
      return chart satisfies never;
  }
}

/** Alarms that the newest of `points` gives: for each rule that begins to be violated. */
function alarmsOf(
  state: ChartState,
  { characteristic }: Specification,
  limits: ChartLimits,
  points: readonly Point[],
): ChartHappening[] {
  const newest = points.at(-1);
  if (newest === undefined) return [];
  const happenings: ChartHappening[] = [];
  for (const chart of ["location", "spread"] as const) {
    const values = points.slice(-longestPattern).flatMap((point) => point[chart] ?? []);
    const before = state.violated[chart];
    const now = [...violatedRules(values, limits[chart], chart)];
    state.violated[chart] = now;
    for (const rule of now) {
      if (before.includes(rule)) continue;
      state.alarmCount++;
      const { number, station, sequence, time } = newest;
      const value: Alarm = {
        id: `${characteristic}/${chart}/rule-${rule}/point-${number}`,
        characteristic,
        chart,
        rule,
        point: number,
        value: newest[chart] ?? newest.location,
        station,
        sequence,
        time,
        description: `${chart === "spread" ? "Spread: " : ""}${ruleDescriptions[rule] ?? ""}`,
      };
      happenings.push({ type: "alarm", value });
    }
  }
  return happenings;
}
