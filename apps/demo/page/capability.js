import { h, setText, svg } from "./dom.js";
import { count, decimalsFor } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").Capability} Capability */

const [width, height, foot] = [360, 170, 18];

/** From here on a process is called capable (Montgomery, table 8.3: existing process, two-sided). */
const capable = 1.33;

/**
 * How well a process fits its specification: the histogram between its limits, the normal curve of the same mean and spread, and the indices.
 *
 * @param {HTMLElement} parent
 * @returns {(capability: Capability | undefined) => void}
 */
export function createCapability(parent) {
  const hint = h("p", { class: "hint" }, "");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height + foot}`, class: "histogram", role: "img" });
  const indices = /** @type {const} */ (["cp", "cpk", "pp", "ppk"]).map((name) => {
    const value = h("dd", {}, "–");
    const label = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    return { name, value, element: h("div", { "data-index": name }, h("dt", {}, label), value) };
  });
  parent.append(
    h("header", {}, h("h2", { id: "capability-title" }, "Capability"), hint),
    /** @type {never} */ (picture),
    h("dl", { class: "indices" }, ...indices.map(({ element }) => element)),
  );
  /** @type {Capability | undefined} */
  let shown;
  return (capability) => {
    if (capability === shown || capability === undefined) return;
    shown = capability;
    const decimals = decimalsFor(capability.sigmaOverall);
    setText(
      hint,
      `${count(capability.count)} values · mean ${capability.mean.toFixed(decimals)} · σ ${capability.sigmaOverall.toFixed(decimals + 1)} ${capability.unit}`,
    );
    picture.setAttribute("aria-label", `Histogram of ${capability.characteristic}`);
    picture.replaceChildren(...draw(capability, decimals));
    for (const { name, value, element } of indices) {
      const index = capability[name];
      setText(value, index === undefined ? "–" : index.toFixed(2));
      element.dataset.grade = index === undefined ? "" : index >= capable ? "good" : index >= 1 ? "fair" : "poor";
    }
  };
}

/**
 * @param {Capability} capability
 * @param {number} decimals
 */
function draw({ histogram, lower, upper, mean, sigmaOverall }, decimals) {
  const { counts } = histogram;
  // The limits are always in sight, however narrow the process.
  const from = Math.min(histogram.from, lower ?? histogram.from) - sigmaOverall * 0.6;
  const to = Math.max(histogram.to, upper ?? histogram.to) + sigmaOverall * 0.6;
  const step = (histogram.to - histogram.from) / counts.length;
  const total = counts.reduce((sum, one) => sum + one, 0);
  const peak = Math.max(1, ...counts);
  const x = (/** @type {number} */ value) => (width * (value - from)) / (to - from);
  const y = (/** @type {number} */ n) => height - (n / peak) * (height - 26);

  const bars = counts.map((n, i) => {
    const left = histogram.from + i * step;
    const outside =
      (lower !== undefined && left + step / 2 < lower) || (upper !== undefined && left + step / 2 > upper);
    const box = {
      x: x(left) + 0.75,
      width: Math.max(0, x(left + step) - x(left) - 1.5),
      y: y(n),
      height: height - y(n),
    };
    return svg("rect", { ...box, rx: 1.5, class: outside ? "bar outside" : "bar" });
  });
  const curve = Array.from({ length: 81 }, (_, i) => {
    const value = from + ((to - from) * i) / 80;
    const density = Math.exp(-0.5 * ((value - mean) / sigmaOverall) ** 2) / (sigmaOverall * Math.sqrt(2 * Math.PI));
    return `${x(value).toFixed(1)},${Math.max(0, y(density * total * step)).toFixed(1)}`;
  });
  const line = (/** @type {number | undefined} */ value, /** @type {string} */ name, /** @type {string} */ label) =>
    value === undefined
      ? []
      : [
          svg("line", { x1: x(value), x2: x(value), y1: 14, y2: height, class: name }),
          svg("text", { x: x(value), y: 10, class: `${name} label` }, label),
          svg("text", { x: x(value), y: height + 13, class: "label" }, value.toFixed(decimals)),
        ];
  return [
    ...bars,
    ...(sigmaOverall > 0 ? [svg("path", { d: `M${curve.join("L")}`, class: "curve" })] : []),
    svg("line", { x1: 0, x2: width, y1: height, y2: height, class: "base" }),
    ...line(lower, "spec", "LSL"),
    ...line(upper, "spec", "USL"),
    ...line(mean, "mean", "mean"),
  ];
}
