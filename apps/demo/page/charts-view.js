import { createCapability } from "./capability.js";
import { createControlChart, panelNames } from "./control-chart.js";
import { byId, h, keyedChildren, setText } from "./dom.js";
import { clock, decimalsFor, title } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").Chart} Chart */
/** @typedef {import("../src/gateway/events.ts").Alarm} Alarm */

/**
 * All characteristics in small, for the overview. A click opens the large one.
 *
 * @param {(characteristic: string) => void} open
 * @returns {(state: PageState) => void}
 */
export function createMinis(open) {
  const show = keyedChildren(
    byId("minis"),
    (/** @type {Chart} */ { characteristic }) => characteristic,
    (chart) => {
      const { characteristic } = chart;
      const canvas = h("div", { class: "plot" });
      const value = h("b", {}, "");
      const element = h(
        "button",
        {
          type: "button",
          class: "card mini",
          onclick: () => open(characteristic),
          "data-characteristic": characteristic,
        },
        h("span", { class: "mini-head" }, h("span", {}, title(characteristic)), value),
        canvas,
      );
      const plot = createControlChart(canvas, { panel: "location", height: 112, small: true });
      return {
        element,
        update(/** @type {Chart} */ next) {
          plot.show(next);
          setText(value, lastValue(next));
          element.setAttribute("aria-label", `${title(characteristic)}: ${describe(next)}. Open the chart`);
          element.classList.toggle(
            "alarmed",
            next.marks.some(({ point }) => point > (next.points.at(-1)?.number ?? 0) - 5),
          );
        },
      };
    },
  );
  // What nobody has measured yet would be an empty frame.
  return ({ charts }) => show(Object.values(charts).filter(({ points }) => points.length > 0));
}

/**
 * One characteristic in full: both charts, its capability, and the rules it broke.
 *
 * @param {{ characteristic: string | undefined }} pick
 * @param {() => void} onPick
 * @returns {(state: PageState) => void}
 */
export function createChartsView(pick, onPick) {
  const heading = h("h2", { id: "chart-title" }, "");
  const owner = h("p", { class: "hint" }, "");
  const readout = h("output", { class: "readout" }, "");
  const names = { location: h("h3", {}, ""), spread: h("h3", {}, "") };
  const plots = { location: h("div", { class: "plot" }), spread: h("div", { class: "plot" }) };
  byId("big-chart").append(
    h("header", {}, heading, owner, readout),
    names.location,
    plots.location,
    names.spread,
    plots.spread,
  );
  /** @type {Chart | undefined} */
  let shown;
  const onPoint = (/** @type {number | undefined} */ index) =>
    setText(readout, shown === undefined ? "" : pointText(shown, index));
  const location = createControlChart(plots.location, { panel: "location", height: 290, onPoint });
  const spread = createControlChart(plots.spread, { panel: "spread", height: 180, onPoint });
  const showCapability = createCapability(byId("capability"));

  const showChips = keyedChildren(
    byId("characteristics"),
    (/** @type {Chart} */ { characteristic }) => characteristic,
    (chart) => {
      const { characteristic } = chart;
      const pressed = () => {
        pick.characteristic = characteristic;
        onPick();
      };
      const element = h("button", { type: "button", class: "chip", onclick: pressed }, title(characteristic));
      return {
        element,
        update: () => element.setAttribute("aria-pressed", String(pick.characteristic === characteristic)),
      };
    },
  );
  const showAlarms = keyedChildren(
    byId("alarms"),
    (/** @type {Alarm} */ { id }) => id,
    (alarm) => ({
      element: h(
        "li",
        {},
        h("span", { class: "rule", title: `Nelson rule ${alarm.rule}` }, String(alarm.rule)),
        h(
          "span",
          {},
          title(alarm.text),
          h("small", {}, `${alarm.panel} · point ${alarm.point} · ${alarm.station} · ${clock(alarm.atMs)}`),
        ),
      ),
      update() {},
    }),
  );

  return ({ charts, capability, alarms }) => {
    pick.characteristic ??= Object.keys(charts)[0];
    showChips(Object.values(charts));
    const chart = charts[pick.characteristic ?? ""];
    if (chart === undefined) return;
    shown = chart;
    setText(heading, title(chart.characteristic));
    setText(owner, `kept by ${chart.owner}, version ${chart.version}`);
    for (const panel of /** @type {const} */ (["location", "spread"])) {
      setText(names[panel], panelNames[chart.kind][panel]);
      plots[panel].setAttribute("role", "img");
      plots[panel].setAttribute("aria-label", `${panelNames[chart.kind][panel]}: ${describe(chart)}`);
    }
    location.show(chart);
    spread.show(chart);
    if (!readout.matches(".big-chart:hover *")) setText(readout, pointText(chart, undefined));
    showCapability(capability[chart.characteristic]);
    showAlarms(alarms.filter(({ characteristic }) => characteristic === chart.characteristic).slice(0, 30));
  };
}

/**
 * @param {Chart} chart
 * @param {number | undefined} index of the points shown; absent: the last
 */
function pointText(chart, index) {
  const shown = chart.points.slice(-60);
  const point = index === undefined ? shown.at(-1) : shown[index];
  if (point === undefined) return "";
  return `point ${point.number} · ${format(chart, point.location)} ${chart.unit} · ${clock(point.atMs)}`;
}

/** @param {Chart} chart */
function lastValue(chart) {
  const last = chart.points.at(-1);
  return last === undefined ? "" : `${format(chart, last.location)} ${chart.unit}`;
}

/** A chart in words, for who cannot see it. @param {Chart} chart */
function describe(chart) {
  const inside = chart.marks.length === 0 ? "no rule broken" : `${chart.marks.length} rules broken`;
  return `${lastValue(chart)}, ${chart.limits === undefined ? "limits not yet known" : inside}`;
}

/** @param {Chart} chart @param {number} value */
function format(chart, value) {
  const { lower = 0, upper = 0 } = chart.limits?.location ?? {};
  return value.toFixed(decimalsFor((upper - lower) / 6));
}
