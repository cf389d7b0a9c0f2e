import type { Endpoint, LoadReport } from "./contract.ts";
import type { Filled } from "./options.ts";
import type { Slot } from "./slot.ts";

/** Load older than this says nothing of now. */
export const loadExpiryMs = 10_000;

/** A loop later than a second is as good as stopped; the clamp keeps one absurd report from ruling an endpoint out. */
const mostLoopDelayMs = 1_000;

/** No process holds more. */
const mostInFlight = 100_000;

/** 100 times its capacity. */
const mostUtilization = 100;

/** More than one process answers. */
const mostCallsPerSecond = 10_000_000;

/** Weight of one report in what is typical of the pool. */
const typicalShare = 1 / 16;

/** However crowded a server says it is, its wait counts as at most this many times longer. */
const mostCrowded = 4;

/** How reported load is learnt, for one pool. */
export class LoadLaw {
  /** Moving mean over the reports of all servers. */
  #typicalInFlight = 0;

  /** Keeps what a server reported, clamped. Fields that are absent or no numbers leave the last known value. */
  record<E extends Endpoint>(slot: Slot<E>, report: LoadReport, nowMs: number): void {
    slot.isReporting = true;
    const delayMs = clamped(report.eventLoopDelayMs, mostLoopDelayMs);
    if (delayMs >= 0) {
      slot.loopDelayMs = delayMs;
      slot.loopDelayAtMs = nowMs;
    }
    const inFlight = clamped(report.inFlight, mostInFlight);
    if (inFlight >= 0) {
      slot.serverInFlight = inFlight;
      slot.serverInFlightAtMs = nowMs;
      this.#typicalInFlight += (inFlight - this.#typicalInFlight) * typicalShare;
    }
    const utilization = clamped(report.utilization, mostUtilization);
    const callsPerSecond = clamped(report.callsPerSecond, mostCallsPerSecond);
    if (utilization <= 0 || callsPerSecond <= 0) return;
    slot.utilization = utilization;
    slot.callsPerSecond = callsPerSecond;
    slot.errorsPerSecond = Math.max(0, clamped(report.errorsPerSecond, callsPerSecond));
    if (slot.weightAtMs === Number.NEGATIVE_INFINITY) slot.weightSinceMs = nowMs;
    slot.weightAtMs = nowMs;
  }

  /**
   * How much longer than usual a call may wait there, 1 to 4: the square root of the server's calls in flight against what
   * is typical. Never below 1: a slow server that few clients use reports few calls, and must not attract by that.
   */
  crowding<E extends Endpoint>(slot: Slot<E>, nowMs: number): number {
    const inFlight = serverInFlight(slot, nowMs);
    if (inFlight <= this.#typicalInFlight) return 1;
    return Math.min(mostCrowded, Math.sqrt((inFlight + 1) / (this.#typicalInFlight + 1)));
  }
}

/** How late the server's event loop ran when it last said so; 0 once that has expired. */
export function loopDelayMs<E extends Endpoint>(slot: Slot<E>, nowMs: number): number {
  return nowMs - slot.loopDelayAtMs < loadExpiryMs ? slot.loopDelayMs : 0;
}

/** Calls the server held when it last said so; −1 once that has expired. */
export function serverInFlight<E extends Endpoint>(slot: Slot<E>, nowMs: number): number {
  return nowMs - slot.serverInFlightAtMs < loadExpiryMs ? slot.serverInFlight : -1;
}

/** How reported weights are made, after gRPC's proposal A58. */
export interface ReportedWeightOptions {
  /** A report is not used until the endpoint has reported for this long, in milliseconds. Default 10,000. */
  readonly blackoutMs?: number | undefined;
  /** A report is not used once it is this old, in milliseconds. Default 180,000. */
  readonly expiryMs?: number | undefined;
  /** How often weights are worked out anew, in milliseconds. Default 1,000, at least 100. */
  readonly periodMs?: number | undefined;
  /** How much utilization each failing call counts as. Default 1. */
  readonly errorPenalty?: number | undefined;
}

/** Weight by reports: calls per second ÷ (utilization + share of errors × penalty). 0 while it is not to be used. */
export function reportedWeight<E extends Endpoint>(
  slot: Slot<E>,
  nowMs: number,
  options: Filled<ReportedWeightOptions>,
): number {
  if (slot.weightAtMs === Number.NEGATIVE_INFINITY) return 0;
  if (nowMs - slot.weightAtMs >= options.expiryMs) {
    // As if it had never reported: the blackout begins anew with its next report.
    slot.weightAtMs = Number.NEGATIVE_INFINITY;
    return 0;
  }
  if (nowMs - slot.weightSinceMs < options.blackoutMs) return 0;
  const errorShare = slot.errorsPerSecond / slot.callsPerSecond;
  return slot.callsPerSecond / (slot.utilization + errorShare * options.errorPenalty);
}

/** The value between 0 and `most`, or −1 if it is no number. */
function clamped(value: number | undefined, most: number): number {
  if (typeof value !== "number" || Number.isNaN(value)) return -1;
  return Math.min(Math.max(value, 0), most);
}
