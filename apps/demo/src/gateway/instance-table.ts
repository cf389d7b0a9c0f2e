import type { Snapshot } from "pipit";
import type { ProcessInfo, ProcessStats } from "../contracts/index.ts";
import { CounterFollower } from "./counter-follower.ts";
import type { Condition, Instance, Sighting } from "./events.ts";

type InstanceView = Snapshot["instances"][number];

/** Order of the services on the page: the way of a measurement. */
const kinds: readonly string[] = ["stations", "operators", "inspection", "charts", "non-conformance"];

/** What is known of one process, from three sides. */
interface Row {
  readonly id: string;
  /** From the one who started it. */
  info?: ProcessInfo | undefined;
  /** From gossip. */
  view?: InstanceView | undefined;
  /** From itself, the last time that it answered. */
  stats?: ProcessStats | undefined;
  readonly served: CounterFollower;
  readonly failed: CounterFollower;
  readonly called: CounterFollower;
  readonly callsFailed: CounterFollower;
}

/** Sums over what all processes called. */
export interface CalledTotals {
  readonly calls: number;
  readonly failed: number;
  readonly callsPerSecond: number;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
}

/**
 * Puts together what the supervisor did to each process, what gossip sees of it, and what it counts itself. Knows no clock and calls nobody.
 */
export class InstanceTable {
  readonly #rows = new Map<string, Row>();

  /** What the supervisor says of all of them. */
  setProcesses(processes: readonly ProcessInfo[]): void {
    for (const info of processes) this.#row(info.id).info = info;
  }

  /** Who is in the registry now; all others are not. */
  setSightings(views: readonly InstanceView[]): void {
    const byId = new Map(views.map((view) => [view.id, view]));
    for (const id of byId.keys()) this.#row(id);
    for (const row of this.#rows.values()) row.view = byId.get(row.id);
  }

  /** What a process says of itself. */
  setStats(nowMs: number, stats: ProcessStats): void {
    const row = this.#row(stats.id);
    row.stats = stats;
    row.served.read(nowMs, stats.pid, stats.served.total);
    row.failed.read(nowMs, stats.pid, stats.served.failed);
    row.called.read(nowMs, stats.pid, stats.called.total);
    row.callsFailed.read(nowMs, stats.pid, stats.called.failed);
  }

  /** Processes worth asking: those that are in the registry and that nobody has stopped for good. */
  addresses(): readonly { readonly id: string; readonly service: string; readonly address: string }[] {
    return [...this.#rows.values()].flatMap((row) => {
      const address = addressOf(row);
      return address === undefined || isGone(row.info?.state) ? [] : [{ id: row.id, service: kindOf(row), address }];
    });
  }

  /** Which life of a process this is. */
  pid(id: string): number {
    return this.#rows.get(id)?.info?.pid ?? 0;
  }

  instances(nowMs: number): readonly Instance[] {
    const rows = [...this.#rows.values()].sort(
      (a, b) =>
        kinds.indexOf(kindOf(a)) - kinds.indexOf(kindOf(b)) || a.id.localeCompare(b.id, "en", { numeric: true }),
    );
    const rates = new Map(rows.map((row) => [row, isGone(row.info?.state) ? 0 : row.served.perSecond(nowMs)]));
    return rows.map((row) => {
      const rate = rates.get(row) ?? 0;
      const peers = rows.filter((other) => kindOf(other) === kindOf(row));
      const all = peers.reduce((sum, peer) => sum + (rates.get(peer) ?? 0), 0);
      const counts = rate > 0 ? row.stats?.served : undefined;
      return {
        id: row.id,
        service: kindOf(row),
        address: addressOf(row) ?? "",
        condition: conditionOf(row),
        seen: row.view?.state ?? ("gone" satisfies Sighting),
        callsPerSecond: rate,
        p50Ms: counts?.p50Ms,
        p99Ms: counts?.p99Ms,
        failed: row.failed.total,
        share: all === 0 ? 0 : rate / all,
      };
    });
  }

  /** Calls a second that a service takes even in a quiet second, all its instances together. */
  leastRate(service: string, nowMs: number): number {
    const rows = [...this.#rows.values()].filter((row) => kindOf(row) === service);
    return rows.reduce((sum, { served }) => sum + served.leastPerSecond(nowMs), 0);
  }

  called(nowMs: number): CalledTotals {
    const rows = [...this.#rows.values()];
    // Of all callers the operators are the ones who wait: theirs are the latencies that people feel.
    const user = rows.find((row) => kindOf(row) === "operators" && !isGone(row.info?.state))?.stats?.called;
    return {
      calls: rows.reduce((sum, { called }) => sum + called.total, 0),
      failed: rows.reduce((sum, { callsFailed }) => sum + callsFailed.total, 0),
      callsPerSecond: rows.reduce((sum, { called }) => sum + called.perSecond(nowMs), 0),
      p50Ms: user?.p50Ms,
      p99Ms: user?.p99Ms,
    };
  }

  #row(id: string): Row {
    let row = this.#rows.get(id);
    if (row === undefined) {
      const follower = (): CounterFollower => new CounterFollower();
      row = { id, served: follower(), failed: follower(), called: follower(), callsFailed: follower() };
      this.#rows.set(id, row);
    }
    return row;
  }
}

function addressOf({ view }: Row): string | undefined {
  return view === undefined ? undefined : `${view.host}:${view.port}`;
}

/** `charts` of `charts-2`. */
function kindOf({ id, info }: Row): string {
  return info?.kind ?? id.slice(0, id.lastIndexOf("-"));
}

function isGone(state: ProcessInfo["state"] | undefined): boolean {
  return state === "crashed" || state === "stopped";
}

/** A fault that a process plays counts only while it runs. */
function conditionOf({ info, stats }: Row): Condition {
  const state = info?.state ?? "running";
  if (state !== "running" || stats === undefined || (info !== undefined && stats.pid !== info.pid)) return state;
  switch (stats.fault.type) {
    case "none":
      return stats.draining ? "draining" : "running";
    case "slow":
      return "slow";
    case "failing":
      return "failing";
    default:
      return stats.fault satisfies never;
  }
}
