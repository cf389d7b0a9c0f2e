import type { Fault } from "./actions.ts";
import type { Instance, Tour, TourStep, TourStepId } from "./events.ts";

/*
 * The guided tour: kill an instance, watch the others notice, watch its calls move, start it again. It is a pure function of what the
 * gateway observes: it reads no clock and touches no process, so that a test can play it in no time. All its timings are measured by the
 * gateway, from the outside: from the press of a button to what a caller and a member of the cluster can see.
 */

/** A step that takes longer has failed. Detection takes about a second and a start a few, on a machine that has nothing else to do. */
const stepTimeoutMs = 60_000;

/** The dead stay dead for this long after their calls have moved, so that a person can see the page without them. */
const pauseMs = 1_500;

/** The calls have moved once the others take this part of what the service took in its quietest second, and the dead one takes none. */
const rebalancedShare = 0.8;

/** What the tour sees. */
export interface TourView {
  readonly nowMs: number;
  readonly instances: readonly Instance[];
  /** Failed user calls since the start of the demo. */
  readonly failedCalls: number;
}

/** A tour under way. */
export interface TourRun {
  readonly tour: Tour;
  /** To be done now. The driver does it once, and goes on with the run as it is. */
  readonly wish?: { readonly type: Fault; readonly instance: string } | undefined;
  /** When the last wish was made: what times are measured from. */
  readonly sinceMs: number;
  /** When the victim shall be started again; `undefined` before the calls have moved and after it was. */
  readonly reviveAtMs?: number | undefined;
  /** Calls a second that the victim's service took even in a quiet second: a burst just before would be no measure. */
  readonly leastRate: number;
  readonly failedBefore: number;
}

const texts: Readonly<Record<TourStepId, string>> = {
  crash: "Kill one instance with SIGKILL: it says no goodbye",
  detect: "The others' probes go unanswered, and gossip spreads the news",
  rebalance: "Callers move its calls to the instances that are left",
  revive: "Start it again: it joins, is found, and takes its share",
};

/** A tour before it is played, for the page to show what it would do. */
export const idleTour: Tour = {
  state: "idle",
  steps: (Object.keys(texts) as TourStepId[]).map((id) => ({ id, state: "waiting", text: texts[id] })),
  failedCalls: 0,
};

/** A healthy instance whose loss others can carry, preferring the service with the most callers' traffic. */
export function chooseTarget(instances: readonly Instance[]): Instance | undefined {
  const healthy = instances.filter(({ condition, seen }) => condition === "running" && seen === "up");
  const spare = healthy.filter(({ service }) => healthy.filter((other) => other.service === service).length > 1);
  return spare.sort((a, b) => b.callsPerSecond - a.callsPerSecond)[0];
}

/** Begins by killing `target`, whose service takes `leastRate` calls a second at least. */
export function beginTour(target: Instance, leastRate: number, view: TourView): TourRun {
  const steps = idleTour.steps.map((step) => (step.id === "crash" ? { ...step, state: "active" as const } : step));
  return {
    tour: { state: "running", target: target.id, steps, failedCalls: 0 },
    wish: { type: "crash", instance: target.id },
    sinceMs: view.nowMs,
    leastRate,
    failedBefore: view.failedCalls,
  };
}

/** The tour after another look. The same object when nothing changed. */
export function advanceTour(run: TourRun, view: TourView): TourRun {
  const { tour, reviveAtMs } = run;
  const step = tour.steps.find(({ state }) => state === "active");
  const target = view.instances.find(({ id }) => id === tour.target);
  if (tour.state !== "running" || step === undefined) return run;
  if (reviveAtMs !== undefined) {
    if (view.nowMs < reviveAtMs || target === undefined) return run;
    return { ...run, wish: { type: "revive", instance: target.id }, sinceMs: view.nowMs, reviveAtMs: undefined };
  }

  const elapsedMs = view.nowMs - run.sinceMs;
  const failedCalls = view.failedCalls - run.failedBefore;
  const text = target === undefined ? undefined : outcomeOf(step.id, target, run, view);
  if (text === undefined) {
    if (elapsedMs <= stepTimeoutMs) return run;
    const late = `Not seen within ${stepTimeoutMs / 1000} s: ${step.text}`;
    const steps = put(tour.steps, { ...step, state: "failed", text: late });
    return { ...run, wish: undefined, tour: { ...tour, state: "failed", steps, failedCalls } };
  }

  const steps = put(tour.steps, { ...step, state: "done", elapsedMs, text });
  const next = steps.find(({ state }) => state === "waiting");
  if (next === undefined) return { ...run, wish: undefined, tour: { ...tour, state: "done", steps, failedCalls } };
  return {
    ...run,
    wish: undefined,
    tour: { ...tour, steps: put(steps, { ...next, state: "active" }), failedCalls },
    reviveAtMs: next.id === "revive" ? view.nowMs + pauseMs : undefined,
  };
}

/** What the step came to, in words; `undefined` while it has not. */
function outcomeOf(step: TourStepId, target: Instance, run: TourRun, view: TourView): string | undefined {
  switch (step) {
    case "crash":
      return target.condition === "crashed" ? `${target.id} is dead: SIGKILL, no goodbye` : undefined;
    case "detect":
      return target.seen === "gone" || target.seen === "stale" ? `Gossip agrees that ${target.id} is gone` : undefined;
    case "rebalance": {
      const own = view.instances.filter(({ service }) => service === target.service);
      const serving = own.filter(({ seen }) => seen === "up");
      const calls = own.reduce((sum, { callsPerSecond }) => sum + callsPerSecond, 0);
      const moved = target.callsPerSecond === 0 && calls > 0 && calls >= run.leastRate * rebalancedShare;
      return moved ? `${serving.length} others take its calls: ${Math.round(calls)} a second, as before` : undefined;
    }
    case "revive":
      // Its share grows from there: a fresh process answers its first calls slowly, and the balancer sees that.
      return target.seen === "up" && target.callsPerSecond > 0
        ? `${target.id} is found again and takes calls, ${percent(target.share)} so far`
        : undefined;
  }
}

function put(steps: readonly TourStep[], step: TourStep): readonly TourStep[] {
  return steps.map((known) => (known.id === step.id ? step : known));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
