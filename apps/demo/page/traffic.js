import { byId, h, keyedChildren, setText, svg } from "./dom.js";
import { count } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */

const [width, height] = [600, 150];
/** Seconds that the chart is wide. */
const span = 60;

/**
 * Calls per second of one service's instances, stacked: a killed instance's layer ends, and the others grow by it.
 *
 * @param {{ selected: string | undefined }} pick
 * @returns {(state: PageState) => void}
 */
export function createTraffic(pick) {
  const layers = svg("g", {});
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "traffic", role: "img" },
    ...[0.25, 0.5, 0.75].map((part) =>
      svg("line", { x1: 0, x2: width, y1: height * part, y2: height * part, class: "grid" }),
    ),
    layers,
  );
  const top = h("span", { class: "scale-top" }, "");
  const legend = h("ul", { class: "legend" });
  byId("traffic").append(
    h("div", { class: "plot" }, /** @type {never} */ (picture), top),
    h("div", { class: "time-scale", "aria-hidden": "true" }, h("span", {}, "a minute ago"), h("span", {}, "now")),
    legend,
  );
  const showLayers = keyedChildren(
    layers,
    (/** @type {Layer} */ { id }) => id,
    () => {
      const element = svg("path", {});
      return {
        element,
        update: (/** @type {Layer} */ { path, index }) => {
          element.setAttribute("d", path);
          element.setAttribute("class", `layer hue-${index % 6}`);
        },
      };
    },
  );
  const showLegend = keyedChildren(
    legend,
    (/** @type {Layer} */ { id }) => id,
    ({ id }) => {
      const value = h("b", {}, "");
      const swatch = h("i", {});
      return {
        element: h("li", {}, swatch, `${id} `, value),
        update: (/** @type {Layer} */ { now, index }) => {
          swatch.className = `hue-${index % 6}`;
          setText(value, count(now));
        },
      };
    },
  );

  return ({ traffic, instances }) => {
    const service = instances.find(({ id }) => id === pick.selected)?.service;
    const ids = instances.filter((instance) => instance.service === service).map(({ id }) => id);
    const sums = traffic.map(({ perSecond }) => ids.reduce((sum, id) => sum + (perSecond[id] ?? 0), 0));
    const peak = niceTop(Math.max(1, ...sums));
    setText(byId("traffic-title"), `Calls a second to ${service ?? "…"}`);
    setText(top, count(peak));
    const shown = stack(ids, traffic, peak);
    showLayers(shown);
    showLegend(shown);
    picture.setAttribute("aria-label", shown.map(({ id, now }) => `${id}: ${count(now)} calls a second`).join(", "));
  };
}

/** @typedef {{ id: string, index: number, path: string, now: number }} Layer */

/**
 * @param {readonly string[]} ids
 * @param {PageState["traffic"]} traffic
 * @param {number} peak
 * @returns {Layer[]}
 */
function stack(ids, traffic, peak) {
  const base = new Array(traffic.length).fill(0);
  const x = (/** @type {number} */ i) => (width * (span - traffic.length + i + 1)) / span;
  const y = (/** @type {number} */ value) => height * (1 - value / peak);
  return ids.map((id, index) => {
    const lower = base.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).reverse();
    const upper = traffic.map(({ perSecond }, i) => {
      base[i] += perSecond[id] ?? 0;
      return `${x(i).toFixed(1)},${y(base[i]).toFixed(1)}`;
    });
    const path = traffic.length === 0 ? "" : `M${upper.join("L")}L${lower.join("L")}Z`;
    return { id, index, path, now: traffic.at(-1)?.perSecond[id] ?? 0 };
  });
}

/**
 * The next round number above: the scale stays still while values wobble.
 *
 * @param {number} value
 */
function niceTop(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= value * 1.08) ?? 12.5) * unit;
}
