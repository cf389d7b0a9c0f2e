import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alarm, LiveEvent, PageState, StateModule, Ticket } from "./events.ts";

const { emptyState, maxPoints, reduce }: StateModule = await import(
  new URL("../../page/state.js", import.meta.url).href
);

const chart: LiveEvent = {
  type: "chart",
  chart: { characteristic: "bore", unit: "mm", kind: "xbar-r", owner: "charts-1", version: 1 },
};

function points(...numbers: readonly number[]): LiveEvent {
  const all = numbers.map((number) => ({ number, atMs: number * 1000, location: number, spread: null }));
  return { type: "points", characteristic: "bore", points: all };
}

function alarm(point: number): Alarm {
  const id = `bore/location/1/${point}`;
  return { id, atMs: 0, characteristic: "bore", station: "one", panel: "location", point, rule: 1, value: 0, text: "" };
}

function ticket(number: number, state: Ticket["state"]): Ticket {
  return { number, state, openedAtMs: 0, characteristic: "bore", station: "one", rule: 1, text: "" };
}

function after(...events: readonly LiveEvent[]): PageState {
  return events.reduce(reduce, emptyState);
}

function numbersOf(state: PageState): readonly number[] {
  return state.charts["bore"]?.points.map(({ number }) => number) ?? [];
}

test("points stand in order and once each, however often and late they come", () => {
  assert.deepEqual(
    numbersOf(after(chart, points(1, 2), points(4, 5), points(2, 3, 4), points(5, 6))),
    [1, 2, 3, 4, 5, 6],
  );
});

test("a chart keeps its newest points, and their marks only", () => {
  const many = points(...Array.from({ length: maxPoints + 5 }, (_, i) => i + 1));
  const state = after(chart, { type: "alarms", alarms: [alarm(3), alarm(6)] }, many);
  assert.equal(numbersOf(state).length, maxPoints);
  assert.equal(numbersOf(state)[0], 6);
  assert.deepEqual(state.charts["bore"]?.marks, [{ point: 6, panel: "location", rule: 1 }]);
});

test("an alarm that is told twice is listed and marked once, the newest first", () => {
  const state = after(
    chart,
    points(1, 2),
    { type: "alarms", alarms: [alarm(1), alarm(2)] },
    { type: "alarms", alarms: [alarm(2)] },
  );
  assert.deepEqual(
    state.alarms.map(({ point }) => point),
    [2, 1],
  );
  assert.equal(state.charts["bore"]?.marks.length, 2);
});

test("new limits and a new owner leave the points of a chart alone", () => {
  const state = after(chart, points(1, 2), {
    ...chart,
    chart: { ...chart.chart, owner: "charts-2", version: 2 },
  });
  assert.equal(state.charts["bore"]?.owner, "charts-2");
  assert.deepEqual(numbersOf(state), [1, 2]);
});

test("a changed ticket takes the place of what it was, and among too many the closed ones go first", () => {
  const first = after({ type: "tickets", tickets: [ticket(2, "open"), ticket(1, "open")] });
  const changed = reduce(first, { type: "tickets", tickets: [ticket(1, "closed")] });
  assert.deepEqual(
    changed.tickets.map(({ number, state }) => `${number} ${state}`),
    ["2 open", "1 closed"],
  );

  const many = Array.from({ length: 500 }, (_, i) => ticket(i + 1, i < 250 ? "open" : "closed"));
  const { tickets } = after({ type: "tickets", tickets: many });
  assert.equal(tickets.length, 400);
  assert.equal(tickets.filter(({ state }) => state === "open").length, 250);
});

test("an event that the page does not know, and points of a chart it has not, change nothing", () => {
  const state = after(chart);
  assert.equal(reduce(state, { type: "weather" } as never), state);
  assert.equal(reduce(state, { type: "points", characteristic: "none", points: [] }), state);
});
