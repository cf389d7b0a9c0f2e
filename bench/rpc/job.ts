/** One measurement, as a client process is told. */
export interface Job {
  readonly scenario: "tiny" | "order" | "blob" | "ticks" | "bulk";
  readonly inFlight: number;
  readonly ms: number;
  /** What one call counts for: 1, or the bytes or messages it moves. */
  readonly perCall: number;
}

/** What came of it. */
export type Outcome =
  | { readonly supported: false }
  | {
      readonly supported: true;
      readonly perSecond: number;
      readonly calls: number;
      readonly p50Us: number;
      readonly p99Us: number;
      readonly cpuMs: number;
    };
