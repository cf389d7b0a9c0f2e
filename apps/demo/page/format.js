/* Numbers and times as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
export function count(value) {
  return whole.format(value);
}

/**
 * A latency. Absent means that nobody called of late.
 *
 * @param {number | undefined} value
 */
export function milliseconds(value) {
  if (value === undefined) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

/**
 * A length of time that was measured, for the tour.
 *
 * @param {number} value
 */
export function duration(value) {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/** @param {number} atMs */
export function clock(atMs) {
  return new Date(atMs).toLocaleTimeString("en-GB");
}

/**
 * Digits after the point that tell values apart which differ by a tenth of `spread`.
 *
 * @param {number} spread
 */
export function decimalsFor(spread) {
  if (!(spread > 0)) return 3;
  return Math.min(6, Math.max(0, Math.ceil(-Math.log10(spread)) + 1));
}

/** @param {string} name */
export function title(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
