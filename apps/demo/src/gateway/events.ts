/*
 * What the page shows, and the events that change it. The gateway keeps one `PageState` for whoever opens the page next and
 * sends each browser the events as they come; both run the same reducer (`page/state.js`), so they cannot disagree.
 *
 * Everything here is plain data that survives `JSON.stringify`. Times are milliseconds since 1970.
 */

/** Centre line and control limits of one panel; the zones A, B and C are thirds between centre and limit. */
export interface ControlLimits {
  readonly center: number;
  readonly lower: number;
  readonly upper: number;
}

/** Which pair of charts a characteristic has: location above, spread below. */
export type ChartKind = "xbar-r" | "xbar-s" | "i-mr";

/** One point of a control chart: a sample, or a single value. */
export interface ChartPoint {
  /** From 1, per characteristic. */
  readonly number: number;
  readonly atMs: number;
  /** Mean of the sample, or the value. */
  readonly location: number;
  /** Range, standard deviation or moving range; null for the first single value. */
  readonly spread: number | null;
}

/** A point that completed the pattern of a Nelson rule (1 to 8). */
export interface Mark {
  readonly point: number;
  readonly panel: "location" | "spread";
  readonly rule: number;
}

/** A pair of control charts without what is drawn on it. */
export interface ChartFrame {
  readonly characteristic: string;
  readonly unit: string;
  readonly kind: ChartKind;
  /** Absent until the baseline is complete. */
  readonly limits?: { readonly location: ControlLimits; readonly spread: ControlLimits } | undefined;
  /** Which instance keeps this chart now, and its fence: it rises with each change of owner. */
  readonly owner: string;
  readonly version: number;
}

export interface Chart extends ChartFrame {
  /** In order of `number`, the newest `maxPoints`. */
  readonly points: readonly ChartPoint[];
  /** Of those points. */
  readonly marks: readonly Mark[];
}

/** How well a process fits its specification; what is absent cannot be told yet, or has no limit on that side. */
export interface Capability {
  readonly characteristic: string;
  readonly unit: string;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  /** From within the samples: what the process could do. */
  readonly cp?: number | undefined;
  readonly cpk?: number | undefined;
  /** From all values: what it did. */
  readonly pp?: number | undefined;
  readonly ppk?: number | undefined;
  readonly count: number;
  readonly mean: number;
  readonly sigmaOverall: number;
  /** Equal bins. */
  readonly histogram: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
}

/** A rule that was broken. */
export interface Alarm extends Mark {
  readonly id: string;
  readonly atMs: number;
  readonly characteristic: string;
  readonly station: string;
  readonly value: number;
  readonly text: string;
}

/** A non-conformance: one per alarm. */
export interface Ticket {
  readonly number: number;
  readonly openedAtMs: number;
  readonly characteristic: string;
  readonly station: string;
  readonly rule: number;
  readonly text: string;
  readonly state: "open" | "assigned" | "closed";
  readonly assignee?: string | undefined;
  readonly resolution?: string | undefined;
}

/** How many tickets there are, shown or not. */
export interface TicketCounts {
  readonly open: number;
  readonly assigned: number;
  readonly closed: number;
}

/** A process of the cluster as gossip sees it. */
export interface Member {
  readonly id: string;
  readonly address: string;
  readonly state: "alive" | "suspect" | "dead" | "left";
  readonly incarnation: number;
}

/** What was last done to a process, which the others must find out by themselves. */
export const conditions = [
  "starting",
  "running",
  "slow",
  "failing",
  "frozen",
  "draining",
  "stopped",
  "crashed",
] as const;
export type Condition = (typeof conditions)[number];

/** What the registry says of an instance; `gone` is absence. */
export type Sighting = "up" | "suspect" | "draining" | "stale" | "gone";

/** An instance of a service: what it is, what gossip sees, what its callers measured in the last seconds. */
export interface Instance {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly condition: Condition;
  readonly seen: Sighting;
  readonly callsPerSecond: number;
  /** Latency in milliseconds; absent when it took no calls of late. */
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  /** Calls that it answered with a failure. No failed call of a user: another instance took over. */
  readonly failed: number;
  /** Part of the calls of its service that it takes, 0 to 1. */
  readonly share: number;
}

/** The calls of everybody in the demo who wants something: operators, stations, charts, this gateway. */
export interface Totals {
  /** `safe`, `idempotent` and `once` calls since the start. */
  readonly calls: number;
  /** Those that their caller saw fail. The point of the demo: it stays 0. */
  readonly failed: number;
  readonly callsPerSecond: number;
  /** Of the users' own calls. */
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  /** Measurements that the charts have recorded, each once. */
  readonly measurements: number;
  /** Repetitions that the charts dropped: what was sent again after a loss, because nobody could be sure. */
  readonly duplicates: number;
  /** Streams of stations that were begun again after a loss. */
  readonly resumed: number;
}

export const tourStepIds = ["crash", "detect", "rebalance", "revive"] as const;
export type TourStepId = (typeof tourStepIds)[number];

export interface TourStep {
  readonly id: TourStepId;
  readonly state: "waiting" | "active" | "done" | "failed";
  /** What was measured, once done. */
  readonly elapsedMs?: number | undefined;
  readonly text: string;
}

/** The guided tour: crash → detect → re-balance → revive. */
export interface Tour {
  readonly state: "idle" | "running" | "done" | "failed";
  /** Id of the instance that is killed. */
  readonly target?: string | undefined;
  readonly steps: readonly TourStep[];
  /** Failed user calls during the tour. */
  readonly failedCalls: number;
}

/** One line of what happened, by whom. */
export interface JournalEntry {
  readonly id: number;
  readonly atMs: number;
  readonly kind: "you" | "gossip" | "service" | "problem";
  readonly text: string;
}

/** Calls per second of each instance at one moment. */
export interface TrafficSample {
  readonly atMs: number;
  readonly perSecond: Readonly<Record<string, number>>;
}

/** Everything the page shows. */
export interface PageState {
  readonly charts: Readonly<Record<string, Chart>>;
  readonly capability: Readonly<Record<string, Capability>>;
  /** Newest first. */
  readonly alarms: readonly Alarm[];
  /** Newest first. */
  readonly tickets: readonly Ticket[];
  readonly ticketCounts: TicketCounts;
  readonly members: readonly Member[];
  readonly instances: readonly Instance[];
  readonly totals: Totals;
  readonly tour: Tour;
  /** Newest first. */
  readonly journal: readonly JournalEntry[];
  /** Oldest first. */
  readonly traffic: readonly TrafficSample[];
}

/** One change. What is small comes whole; what grows comes as an addition. */
export type LiveEvent =
  | { readonly type: "snapshot"; readonly state: PageState }
  | { readonly type: "chart"; readonly chart: ChartFrame }
  | { readonly type: "points"; readonly characteristic: string; readonly points: readonly ChartPoint[] }
  | { readonly type: "capability"; readonly capability: Capability }
  | { readonly type: "alarms"; readonly alarms: readonly Alarm[] }
  | { readonly type: "tickets"; readonly tickets: readonly Ticket[] }
  | { readonly type: "ticketCounts"; readonly counts: TicketCounts }
  | { readonly type: "members"; readonly members: readonly Member[] }
  | { readonly type: "instances"; readonly instances: readonly Instance[] }
  | { readonly type: "totals"; readonly totals: Totals }
  | { readonly type: "traffic"; readonly sample: TrafficSample }
  | { readonly type: "tour"; readonly tour: Tour }
  | { readonly type: "journal"; readonly entries: readonly JournalEntry[] };

/** What the page's module `state.js` exports. */
export interface StateModule {
  readonly emptyState: PageState;
  /** The state after an event. Pure; what did not change keeps its identity. */
  readonly reduce: (state: PageState, event: LiveEvent) => PageState;
  readonly maxPoints: number;
}
