import { array, bool, type Infer, optional, service, string, struct, uint, unary } from "pipit";

/** How far a station's stream has come. */
export const StationProgress = struct({
  station: string,
  characteristics: array(string),
  /** Sequence of the latest measurement. */
  measured: uint,
  /** Sequence up to which all are recorded. */
  acknowledged: uint,
  /** How often the stream was begun again after a loss. */
  resumed: uint,
  /** How many there are in all, where a file says so. */
  total: optional(uint),
  finished: bool,
});
export type StationProgress = Infer<typeof StationProgress>;

/** The measuring stations of a process. They call, and are hardly ever called. */
export const Stations = service("demo.Stations", {
  progress: unary(struct({}), struct({ stations: array(StationProgress) }), { idempotency: "safe" }),
});
