import type { GossipRegistry } from "pipit";
import type * as contracts from "../contracts/index.ts";
import type { Alarm, Capability, ChartFrame, ChartPoint, ControlLimits, Member, Ticket } from "./events.ts";

/*
 * From what the services say to what the page shows. The two are kept apart on purpose: a contract changes when a service does, and the page
 * when somebody wants to see something else.
 */

export function chartFrameOf(summary: contracts.ChartSummary): ChartFrame {
  const { characteristic, unit, chart, owner, version, limits } = summary;
  return { characteristic, unit, kind: chart, owner, version, limits: limits && limitsOf(limits) };
}

export function limitsOf({ location, spread }: contracts.ChartLimits): NonNullable<ChartFrame["limits"]> {
  return { location: panelLimits(location), spread: panelLimits(spread) };
}

function panelLimits({ lower, centre, upper }: contracts.ControlLimits): ControlLimits {
  return { lower, center: centre, upper };
}

export function pointOf({ number, time, location, spread }: contracts.Point): ChartPoint {
  return { number, atMs: time.getTime(), location, spread };
}

export function alarmOf({
  id,
  time,
  characteristic,
  station,
  chart,
  point,
  rule,
  value,
  description,
}: contracts.Alarm): Alarm {
  return { id, atMs: time.getTime(), characteristic, station, panel: chart, point, rule, value, text: description };
}

export function capabilityOf(told: contracts.Capability): Capability {
  const { characteristic, unit, lower, upper, cp, cpk, pp, ppk, count, mean, sigmaOverall, histogram } = told;
  return { characteristic, unit, lower, upper, cp, cpk, pp, ppk, count, mean, sigmaOverall, histogram };
}

export function ticketOf(ticket: contracts.Ticket): Ticket {
  const { number, openedAt, characteristic, station, rule, description, state, assignee, resolution } = ticket;
  return {
    number,
    openedAtMs: openedAt.getTime(),
    characteristic,
    station,
    rule,
    text: description,
    state,
    assignee,
    resolution,
  };
}

export function memberOf({ id, address, state, incarnation }: ReturnType<GossipRegistry["members"]>[number]): Member {
  return { id, address, state, incarnation };
}
