import type { Limits } from "../statistics/control-limits.ts";
import type { Histogram } from "../statistics/histogram.ts";

/** Size of a plot, in units of its own: it scales with the page. */
const size = { width: 900, height: 220, left: 24, right: 100, top: 12, bottom: 24 };

/** More points than this cannot be told apart at that width: each stretch is drawn from its least to its greatest. */
const mostPoints = 1500;

/** A point that a rule complains of. */
export interface Mark {
  /** Index of the point, from 0. */
  readonly index: number;
  readonly title: string;
}

/** Text made harmless for HTML and SVG. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Few digits, as many as a reader can use. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "–";
}

/** A control chart: points in order, centre line and limits, zones, and marks where a rule is violated. */
export function controlChart(
  title: string,
  values: readonly number[],
  limits: Limits | undefined,
  marks: readonly Mark[],
): string {
  const lines = limits === undefined ? [] : [limits.lower, limits.centre, limits.upper];
  const y = scale([...values, ...lines], size.height - size.bottom, size.top);
  const x = (index: number): number =>
    size.left + (values.length < 2 ? 0.5 : index / (values.length - 1)) * (size.width - size.left - size.right);
  const parts: string[] = [];
  if (limits !== undefined) {
    const sigma = (limits.upper - limits.centre) / 3;
    for (const zone of [-2, -1, 1, 2]) {
      const at = limits.centre + zone * sigma;
      if (at > limits.lower) parts.push(line("zone", y(at)));
    }
    parts.push(line("limit", y(limits.lower)), line("centre", y(limits.centre)), line("limit", y(limits.upper)));
    for (const [name, value] of [
      ["UCL", limits.upper],
      ["CL", limits.centre],
      ["LCL", limits.lower],
    ] as const) {
      parts.push(text(size.width - size.right + 6, y(value) + 4, `${name} ${short(value)}`, "start"));
    }
  }
  const path = thinned(values).map(({ index, value }) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  parts.push(`<polyline class="values" points="${path.join(" ")}"/>`);
  if (values.length <= 200) {
    for (const [index, value] of values.entries()) parts.push(dot("value", x(index), y(value), 2, ""));
  }
  for (const { index, title: why } of marks) {
    const value = values[index];
    if (value !== undefined) parts.push(dot("mark", x(index), y(value), 4.5, why));
  }
  parts.push(text(size.left, size.height - 6, "1", "start"));
  parts.push(text(size.width - size.right, size.height - 6, String(values.length), "end"));
  return svg(title, parts);
}

/** A histogram with the specification limits where they are near enough to be seen. */
export function histogramChart(title: string, { from, to, counts }: Histogram, lower?: number, upper?: number): string {
  const low = Math.min(from, lower ?? from);
  const high = Math.max(to, upper ?? to);
  const x = scale([low, high], size.left, size.width - size.right);
  const y = scale([0, ...counts], size.height - size.bottom, size.top);
  const width = (to - from) / Math.max(1, counts.length);
  const parts = counts.map((count, i) => {
    const [left, right] = [x(from + i * width), x(from + (i + 1) * width)];
    return `<rect class="bin" x="${left.toFixed(1)}" y="${y(count).toFixed(1)}" width="${Math.max(1, right - left - 1).toFixed(1)}" height="${(y(0) - y(count)).toFixed(1)}"><title>${count}</title></rect>`;
  });
  for (const [name, value] of [
    ["LSL", lower],
    ["USL", upper],
  ] as const) {
    if (value === undefined) continue;
    const at = x(value).toFixed(1);
    parts.push(`<line class="limit" x1="${at}" x2="${at}" y1="${size.top}" y2="${size.height - size.bottom}"/>`);
    parts.push(text(x(value), size.height - 6, `${name} ${short(value)}`, "middle"));
  }
  return svg(title, parts);
}

function thinned(values: readonly number[]): { readonly index: number; readonly value: number }[] {
  const all = values.map((value, index) => ({ index, value }));
  if (all.length <= mostPoints) return all;
  const stretch = Math.ceil((all.length * 2) / mostPoints);
  return Array.from({ length: Math.ceil(all.length / stretch) }, (_, i) => {
    const part = all.slice(i * stretch, (i + 1) * stretch).sort((a, b) => a.value - b.value);
    return [part[0], part.at(-1)].flatMap((each) => each ?? []).sort((a, b) => a.index - b.index);
  }).flat();
}

/** Maps the span of `values` onto the stretch between two places. */
function scale(values: readonly number[], start: number, end: number): (value: number) => number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = high - low;
  return (value) => start + (span > 0 ? (value - low) / span : 0.5) * (end - start);
}

function line(name: string, y: number): string {
  const at = y.toFixed(1);
  return `<line class="${name}" x1="${size.left}" x2="${size.width - size.right}" y1="${at}" y2="${at}"/>`;
}

function dot(name: string, x: number, y: number, radius: number, title: string): string {
  const inside = title === "" ? "" : `<title>${escaped(title)}</title>`;
  return `<circle class="${name}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}">${inside}</circle>`;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function svg(title: string, parts: readonly string[]): string {
  return `<svg role="img" viewBox="0 0 ${size.width} ${size.height}" aria-label="${escaped(title)}"><title>${escaped(title)}</title>${parts.join("")}</svg>`;
}
