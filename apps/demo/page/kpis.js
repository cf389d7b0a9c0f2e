import { count, milliseconds } from "./format.js";
import { byId, h, setText } from "./dom.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */

/** @type {readonly { id: string, label: string, value: (state: PageState) => string, note?: (state: PageState) => string }[]} */
const numbers = [
  {
    id: "failed",
    label: "Failed user calls",
    value: ({ totals }) => count(totals.failed),
    note: ({ totals }) => (totals.failed === 0 ? "as it should be" : "this should be 0"),
  },
  { id: "calls", label: "Calls", value: ({ totals }) => count(totals.calls), note: () => "safe, idempotent, once" },
  { id: "rate", label: "Calls a second", value: ({ totals }) => count(totals.callsPerSecond) },
  {
    id: "latency",
    label: "Latency p50",
    value: ({ totals }) => milliseconds(totals.p50Ms),
    note: ({ totals }) => `p99 ${milliseconds(totals.p99Ms)}`,
  },
  {
    id: "measurements",
    label: "Measurements",
    value: ({ totals }) => count(totals.measurements),
    note: ({ totals }) =>
      totals.resumed + totals.duplicates === 0
        ? "each recorded once"
        : `${count(totals.resumed)} resumed · ${count(totals.duplicates)} repeats`,
  },
  {
    id: "instances",
    label: "Instances up",
    value: ({ instances }) => `${instances.filter(({ seen }) => seen === "up").length} / ${instances.length}`,
    note: () => "as gossip sees it",
  },
];

/** The numbers at the top of every view. @returns {(state: PageState) => void} */
export function createKpis() {
  const tiles = numbers.map(({ id, label, value, note }) => {
    const number = h("strong", {}, "–");
    const small = h("small", {}, "\u00a0");
    const element = h("div", { class: "kpi", id: `kpi-${id}` }, h("span", {}, label), number, small);
    return { element, number, small, value, note };
  });
  byId("kpis").append(...tiles.map(({ element }) => element));
  return (state) => {
    for (const { number, small, value, note } of tiles) {
      setText(number, value(state));
      if (note !== undefined) setText(small, note(state));
    }
    tiles[0]?.element.classList.toggle("bad", state.totals.failed > 0);
    const badge = byId("open-tickets");
    badge.hidden = state.ticketCounts.open === 0;
    setText(badge, count(state.ticketCounts.open));
  };
}
