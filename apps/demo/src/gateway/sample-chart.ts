import type { Capability, ChartKind, ControlLimits, LiveEvent } from "./events.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** A characteristic of the sample's line. */
export interface SampleCharacteristic {
  readonly name: string;
  readonly unit: string;
  readonly kind: ChartKind;
  readonly target: number;
  /** Standard deviation of single values. */
  readonly sigma: number;
  /** Half the width of the specification. */
  readonly tolerance: number;
  /** Values per point. */
  readonly size: number;
  /** What happens to the process at a point: added to the mean, in standard deviations. */
  readonly script: (point: number) => number;
}

export const sampleCharacteristics: readonly SampleCharacteristic[] = [
  {
    name: "bore diameter",
    unit: "mm",
    kind: "xbar-r",
    target: 74,
    sigma: 0.01,
    tolerance: 0.04,
    size: 5,
    // Tool wear: it creeps up and is reset when the tool is changed.
    script: (point) => ((point % 90) - 30) / 75,
  },
  {
    name: "flow width",
    unit: "µm",
    kind: "xbar-s",
    target: 1.5,
    sigma: 0.14,
    tolerance: 0.5,
    size: 8,
    script: (point) => (point % 70 > 48 && point % 70 < 56 ? 1.1 : 0), // a shift, then repaired
  },
  {
    name: "torque",
    unit: "N·m",
    kind: "i-mr",
    target: 24,
    sigma: 0.6,
    tolerance: 2.6,
    size: 1,
    script: (point) => (point % 41 === 40 ? 4 : 0), // an outlier now and then
  },
  {
    name: "surface roughness",
    unit: "µm",
    kind: "i-mr",
    target: 0.8,
    sigma: 0.05,
    tolerance: 0.2,
    size: 1,
    script: () => 0,
  },
];

/** Constants of control charts for samples of 2, 5 and 8 (Montgomery, appendix VI): mean and spread of R or s in standard deviations. */
const spreadOf = {
  "xbar-r": { mean: 2.326, deviation: 0.864 },
  "xbar-s": { mean: 0.965, deviation: 0.26 },
  "i-mr": { mean: 1.128, deviation: 0.853 },
};

const bins = 24;

/** One characteristic's chart: the right shapes and limits, drawn from a seed. */
export class SampleChart {
  readonly #one: SampleCharacteristic;
  readonly #random: SeededRandom;
  readonly #counts = new Array<number>(bins).fill(0);
  #count = 0;
  #mean = 0;
  /** Sum of squared differences from the mean (Welford, 1962). */
  #squares = 0;
  #number = 0;
  #last: number | undefined;
  #owner = "";
  #version = 0;
  #side = 0;

  constructor(one: SampleCharacteristic, random: SeededRandom) {
    this.#one = one;
    this.#random = random;
  }

  get characteristic(): string {
    return this.#one.name;
  }

  get perPoint(): number {
    return this.#one.size;
  }

  /** The next point, and the rules it breaks. */
  next(
    atMs: number,
    owner: string,
  ): { events: LiveEvent[]; broken: { rule: number; text: string; point: number; value: number }[] } {
    const { name, unit, kind, target, sigma, size, script } = this.#one;
    const events: LiveEvent[] = [];
    const limits = this.#limits();
    if (owner !== this.#owner) {
      this.#owner = owner;
      events.push({
        type: "chart",
        chart: { characteristic: name, unit, kind, limits, owner, version: ++this.#version },
      });
    }

    const number = ++this.#number;
    const shift = script(number) * sigma;
    const values = Array.from({ length: size }, () => target + shift + this.#random.normal() * sigma);
    const location = values.reduce((sum, value) => sum + value, 0) / size;
    const spread = this.#spread(values);
    this.#last = values.at(-1);
    for (const value of values) this.#tally(value);

    events.push({ type: "points", characteristic: name, points: [{ number, atMs, location, spread }] });
    if (number % 4 === 0) events.push({ type: "capability", capability: this.#capability() });
    const rules = this.#rules(location, limits.location);
    return {
      events,
      broken: rules.map((rule) => ({ rule, point: number, value: location, text: ruleTexts[rule] ?? "" })),
    };
  }

  #limits(): { location: ControlLimits; spread: ControlLimits } {
    const { target, sigma, size, kind } = this.#one;
    const { mean, deviation } = spreadOf[kind];
    const reach = (3 * sigma) / Math.sqrt(size);
    return {
      location: { center: target, lower: target - reach, upper: target + reach },
      spread: {
        center: mean * sigma,
        lower: Math.max(0, (mean - 3 * deviation) * sigma),
        upper: (mean + 3 * deviation) * sigma,
      },
    };
  }

  #spread(values: readonly number[]): number | null {
    const [only = 0] = values;
    if (values.length === 1) return this.#last === undefined ? null : Math.abs(only - this.#last);
    if (this.#one.kind === "xbar-r") return Math.max(...values) - Math.min(...values);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  }

  /** Nelson's first two rules; the chart service knows all eight. */
  #rules(location: number, { center, lower, upper }: ControlLimits): number[] {
    const side = Math.sign(location - center);
    this.#side = side === Math.sign(this.#side) ? this.#side + side : side;
    const rules: number[] = [];
    if (location > upper || location < lower) rules.push(1);
    if (Math.abs(this.#side) === 9) rules.push(2);
    return rules;
  }

  #tally(value: number): void {
    const { target, tolerance } = this.#one;
    const difference = value - this.#mean;
    this.#mean += difference / ++this.#count;
    this.#squares += difference * (value - this.#mean);
    const from = target - tolerance * 1.2;
    const bin = Math.floor((value - from) / ((tolerance * 2.4) / bins));
    if (bin >= 0 && bin < bins) this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
  }

  #capability(): Capability {
    const { name, unit, target, tolerance } = this.#one;
    const [count, mean] = [this.#count, this.#mean];
    const overall = Math.sqrt(this.#squares / Math.max(1, count - 1));
    const [lower, upper] = [target - tolerance, target + tolerance];
    const ratios = (sigma: number): readonly [number, number] => [
      (upper - lower) / (6 * sigma),
      Math.min(upper - mean, mean - lower) / (3 * sigma),
    ];
    const [cp, cpk] = ratios(this.#one.sigma);
    const [pp, ppk] = count > 1 ? ratios(overall) : [undefined, undefined];
    const histogram = { from: target - tolerance * 1.2, to: target + tolerance * 1.2, counts: [...this.#counts] };
    return {
      characteristic: name,
      unit,
      lower,
      upper,
      cp,
      cpk,
      pp,
      ppk,
      count,
      mean,
      sigmaOverall: overall,
      histogram,
    };
  }
}

const ruleTexts: Readonly<Record<number, string>> = {
  1: "A point beyond a control limit",
  2: "Nine points in a row on one side of the centre line",
};
