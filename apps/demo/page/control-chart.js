// @ts-expect-error Served by the gateway from the npm package, whose types tsc finds under another name.
import UPlot from "/uplot.js";
import { decimalsFor } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").Chart} Chart */
/** @typedef {import("../src/gateway/events.ts").ControlLimits} ControlLimits */
/** @typedef {import("uplot")} Plot */

/** Points that a chart is wide, so that it scrolls and does not shrink. */
const visiblePoints = 60;

/** @typedef {"location" | "spread"} Panel */

/** @type {Readonly<Record<Chart["kind"], Readonly<Record<Panel, string>>>>} */
export const panelNames = {
  "xbar-r": { location: "X̄ chart", spread: "R chart" },
  "xbar-s": { location: "X̄ chart", spread: "s chart" },
  "i-mr": { location: "Individuals chart", spread: "Moving range chart" },
};

/** @typedef {{ color: (name: string) => string, ratio: number }} Ink */

/** @returns {Ink} the style sheet's colours, for the canvas */
function ink() {
  const style = getComputedStyle(document.documentElement);
  return { color: (name) => style.getPropertyValue(`--${name}`).trim(), ratio: devicePixelRatio };
}

/**
 * One panel of a control chart: points with the centre line, the control limits, the zones A, B and C between them, and a mark with the
 * number of the Nelson rule at each point that broke one.
 *
 * @param {HTMLElement} parent
 * @param {{ panel: Panel, height: number, small?: boolean, onPoint?: (index: number | undefined) => void }} options
 */
export function createControlChart(parent, { panel, height, small = false, onPoint }) {
  /** @type {Chart | undefined} */
  let chart;
  let paint = ink();
  const axis = { stroke: () => paint.color("muted"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: () => paint.color("line"), width: 1 };

  /** @type {Plot} */
  const plot = new UPlot(
    {
      width: parent.clientWidth || 300,
      height,
      legend: { show: false },
      padding: [small ? 8 : 22, small ? 34 : 40, small ? 4 : 0, 0],
      cursor: { show: !small, y: false, drag: { x: false, y: false }, sync: small ? undefined : { key: "control" } },
      scales: {
        x: {
          time: false,
          range: (/** @type {unknown} */ _, /** @type {number} */ __, /** @type {number} */ max) => window(max),
        },
        y: {
          range: (/** @type {unknown} */ _, /** @type {number} */ min, /** @type {number} */ max) => reach(min, max),
        },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          show: !small,
          size: 26,
          values: (/** @type {unknown} */ _, /** @type {number[]} */ v) =>
            v.map((n) => (Number.isInteger(n) ? String(n) : "")),
        },
        {
          ...axis,
          grid,
          show: !small,
          size: 62,
          values: (/** @type {unknown} */ _, /** @type {number[]} */ v) => v.map(number),
        },
      ],
      series: [
        {},
        {
          stroke: () => paint.color("ink-line"),
          width: small ? 1.25 : 1.5,
          points: { show: true, size: small ? 3.5 : 5.5, fill: () => paint.color("ink-line"), width: 0 },
        },
      ],
      hooks: {
        drawClear: [(/** @type {Plot} */ u) => drawZones(u, limits(), paint, small)],
        draw: [(/** @type {Plot} */ u) => drawMarks(u, points(u), paint, small)],
        setCursor: [(/** @type {Plot} */ u) => onPoint?.(u.cursor.idx ?? undefined)],
      },
    },
    [[], []],
    parent,
  );

  /** @param {number} max @returns {[number, number]} */
  function window(max) {
    const last = Math.max(max ?? 0, 1);
    return last < visiblePoints ? [0.5, visiblePoints + 0.5] : [last - visiblePoints + 0.5, last + 0.5];
  }

  /** Limits and points are always in sight. @param {number} min @param {number} max @returns {[number, number]} */
  function reach(min, max) {
    const { lower = min ?? 0, upper = max ?? 1 } = limits() ?? {};
    const [low, high] = [Math.min(min ?? lower, lower), Math.max(max ?? upper, upper)];
    const margin = (high - low) * 0.08 || 1;
    return [low - margin, high + margin];
  }

  /** @param {number} value */
  function number(value) {
    const { lower = 0, upper = 0 } = limits() ?? {};
    return value.toFixed(decimalsFor((upper - lower) / 6));
  }

  function limits() {
    return chart?.limits?.[panel];
  }

  /** Where marked points are, and their rules. @param {Plot} u */
  function points(u) {
    const rules = new Map();
    for (const mark of [...(chart?.marks ?? [])].sort((a, b) => a.point - b.point)) {
      if (mark.panel === panel) rules.set(mark.point, [...(rules.get(mark.point) ?? []), mark.rule]);
    }
    return [...rules].flatMap(([at, numbers]) => {
      const value = u.data[1]?.[u.data[0].indexOf(at)];
      return value == null ? [] : [{ at, value, text: numbers.join(" ") }];
    });
  }

  const resized = new ResizeObserver(() => {
    if (parent.clientWidth > 0) plot.setSize({ width: parent.clientWidth, height });
  });
  resized.observe(parent);
  addEventListener("themechange", () => {
    paint = ink();
    plot.redraw();
  });

  return {
    /** @param {Chart} next */
    show(next) {
      if (next === chart) return;
      chart = next;
      const shown = next.points.slice(-visiblePoints);
      plot.setData([shown.map((point) => point.number), shown.map((point) => point[panel])]);
    },
  };
}

/**
 * Zones C, B and A: one, two and three standard deviations from the centre, cut where the limit is (a range has none below 0).
 *
 * @param {Plot} u
 * @param {ControlLimits | undefined} limits
 * @param {Ink} paint
 * @param {boolean} small
 */
function drawZones({ ctx, bbox, valToPos }, limits, { color, ratio }, small) {
  if (limits === undefined) return;
  const { center, lower, upper } = limits;
  const sigma = (upper - center) / 3;
  const y = (/** @type {number} */ value) => valToPos(value, "y", true);
  const right = bbox.left + bbox.width;
  ctx.save();
  const zones = /** @type {const} */ ([
    [3, "zone-a"],
    [2, "zone-b"],
    [1, "zone-c"],
  ]);
  for (const [reach, name] of zones) {
    const [top, bottom] = [y(center + reach * sigma), y(Math.max(lower, center - reach * sigma))];
    ctx.fillStyle = color(name);
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  }
  ctx.font = `${(small ? 9 : 10.5) * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const lines = /** @type {const} */ ([
    [upper, "limit", "UCL"],
    [center, "center", "CL"],
    [lower, "limit", "LCL"],
  ]);
  for (const [value, name, label] of lines) {
    ctx.strokeStyle = ctx.fillStyle = color(name);
    ctx.lineWidth = (name === "center" ? 1.25 : 1) * ratio;
    ctx.setLineDash(name === "center" ? [] : [5 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y(value));
    ctx.lineTo(right, y(value));
    ctx.stroke();
    ctx.fillText(label, right + 6 * ratio, y(value));
  }
  if (!small) {
    ctx.fillStyle = color("muted");
    for (const [reach, name] of /** @type {const} */ ([
      [2.5, "A"],
      [1.5, "B"],
      [0.5, "C"],
    ])) {
      ctx.fillText(name, right + 8 * ratio, y(center + reach * sigma));
    }
  }
  ctx.restore();
}

/**
 * @param {Plot} u
 * @param {readonly { at: number, value: number, text: string }[]} points
 * @param {Ink} paint
 * @param {boolean} small
 */
function drawMarks({ ctx, bbox, valToPos }, points, { color, ratio }, small) {
  ctx.save();
  ctx.font = `700 ${10.5 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  // Right ends of the labels above and below: where two would meet, the later one moves further out.
  const ends = { above: { x: 0, level: 0 }, below: { x: 0, level: 0 } };
  for (const { at, value, text } of points) {
    const [x, y] = [valToPos(at, "x", true), valToPos(value, "y", true)];
    if (x < bbox.left) continue;
    ctx.fillStyle = color("alarm");
    ctx.strokeStyle = color("surface");
    ctx.lineWidth = 2 * ratio;
    ctx.beginPath();
    ctx.arc(x, y, (small ? 3.5 : 5.5) * ratio, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.fill();
    if (small) continue;
    // The number stands on the outer side of its point, where the line is not.
    const above = y < bbox.top + bbox.height / 2;
    const end = above ? ends.above : ends.below;
    const half = ctx.measureText(text).width / 2 + 2 * ratio;
    end.level = x - half < end.x ? (end.level + 1) % 3 : 0;
    end.x = x + half;
    ctx.textBaseline = above ? "bottom" : "top";
    ctx.fillText(text, x, y + (above ? -1 : 1) * (8 + 12 * end.level) * ratio);
  }
  ctx.restore();
}
