/*
 * The page's state and its reducer. The gateway imports this very file to know what to tell a browser that comes late.
 * Everything that grows has a bound: this page may stay open for days.
 */

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").LiveEvent} LiveEvent */
/** @typedef {import("../src/gateway/events.ts").Chart} Chart */

/** Points kept per chart: more than a wide screen can show apart. */
export const maxPoints = 120;
const maxAlarms = 100;
const maxTickets = 400;
const maxJournal = 80;
/** One sample a second: the last minute. */
const maxTraffic = 60;

/** @type {PageState} */
export const emptyState = {
  charts: {},
  capability: {},
  alarms: [],
  tickets: [],
  ticketCounts: { open: 0, assigned: 0, closed: 0 },
  members: [],
  instances: [],
  totals: { calls: 0, failed: 0, callsPerSecond: 0, measurements: 0, duplicates: 0, resumed: 0 },
  tour: { state: "idle", steps: [], failedCalls: 0 },
  journal: [],
  traffic: [],
};

/** @type {(state: PageState, event: LiveEvent) => PageState} */
export function reduce(state, event) {
  switch (event.type) {
    case "snapshot":
      return event.state;
    case "chart": {
      const { points = [], marks = [] } = state.charts[event.chart.characteristic] ?? {};
      return withChart(state, { ...event.chart, points, marks });
    }
    case "points": {
      const chart = state.charts[event.characteristic];
      if (chart === undefined) return state;
      const points = addPoints(chart.points, event.points);
      return withChart(state, { ...chart, points, marks: withinPoints(chart.marks, points) });
    }
    case "capability": {
      const { capability } = event;
      return { ...state, capability: { ...state.capability, [capability.characteristic]: capability } };
    }
    case "alarms":
      return addAlarms(state, event.alarms);
    case "tickets":
      return { ...state, tickets: mergeTickets(state.tickets, event.tickets) };
    case "ticketCounts":
      return { ...state, ticketCounts: event.counts };
    case "members":
      return { ...state, members: event.members };
    case "instances":
      return { ...state, instances: event.instances };
    case "totals":
      return { ...state, totals: event.totals };
    case "traffic":
      return { ...state, traffic: [...state.traffic, event.sample].slice(-maxTraffic) };
    case "tour":
      return { ...state, tour: event.tour };
    case "journal":
      return { ...state, journal: [...event.entries, ...state.journal].slice(0, maxJournal) };
    default:
      return state; // a newer gateway may say more than this page knows
  }
}

/** @type {(state: PageState, chart: Chart) => PageState} */
function withChart(state, chart) {
  return { ...state, charts: { ...state.charts, [chart.characteristic]: chart } };
}

/**
 * Points in order and once each: after a hand-over the new owner of a chart may say again what the old one said.
 *
 * @type {(known: Chart["points"], fresh: Chart["points"]) => Chart["points"]}
 */
function addPoints(known, fresh) {
  const last = known.at(-1)?.number ?? 0;
  const inOrder = fresh.every(({ number }, i) => number > (fresh[i - 1]?.number ?? last));
  if (inOrder) return [...known, ...fresh].slice(-maxPoints);
  const byNumber = new Map([...known, ...fresh].map((point) => [point.number, point]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number).slice(-maxPoints);
}

/**
 * An alarm goes to the list and marks its point, once.
 *
 * @type {(state: PageState, alarms: PageState["alarms"]) => PageState}
 */
function addAlarms(state, alarms) {
  const known = new Set(state.alarms.map(({ id }) => id));
  const fresh = alarms.filter(({ id }) => !known.has(id));
  /** @type {PageState} */
  let next = { ...state, alarms: [...[...fresh].reverse(), ...state.alarms].slice(0, maxAlarms) };
  for (const { characteristic, point, panel, rule } of fresh) {
    const chart = next.charts[characteristic];
    if (chart === undefined) continue;
    const marks = withinPoints([...chart.marks, { point, panel, rule }], chart.points);
    next = withChart(next, { ...chart, marks });
  }
  return next;
}

/**
 * A mark may come before its point, and goes with it.
 *
 * @type {(marks: Chart["marks"], points: Chart["points"]) => Chart["marks"]}
 */
function withinPoints(marks, points) {
  const first = points[0]?.number ?? 0;
  return marks.filter(({ point }) => point >= first);
}

/**
 * Newest first. A ticket that is known is replaced in its place. Past the bound the closed ones go first.
 *
 * @type {(known: PageState["tickets"], changed: PageState["tickets"]) => PageState["tickets"]}
 */
function mergeTickets(known, changed) {
  const byNumber = new Map(known.map((ticket) => [ticket.number, ticket]));
  for (const ticket of changed) byNumber.set(ticket.number, ticket);
  const all = [...byNumber.values()].sort((a, b) => b.number - a.number);
  if (all.length <= maxTickets) return all;
  const pending = all.filter(({ state }) => state !== "closed").slice(0, maxTickets);
  const closed = all.filter(({ state }) => state === "closed").slice(0, maxTickets - pending.length);
  return [...pending, ...closed].sort((a, b) => b.number - a.number);
}
