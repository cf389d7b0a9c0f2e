/** The shape of a goal: measured over seeds, judged at the end, with a control that must fail beside it. */

/** Samples by name; those of all seeds are put together before they are judged. */
export type Samples = Record<string, number[]>;

export interface Verdict {
  readonly pass: boolean;
  readonly text: string;
}

export interface Goal {
  readonly id: string;
  readonly title: string;
  /** Seeds of a full run. Default 20. */
  readonly seeds?: number;
  /** `short` is what CI runs: smaller clusters or shorter times, the same laws. */
  measure(seed: number, short: boolean): Samples;
  judge(samples: Samples, short: boolean): Verdict;
  /** The same without what makes it hold: it must fail. */
  readonly control?: Control;
}

export interface Control {
  readonly title: string;
  readonly seeds?: number;
  measure(seed: number, short: boolean): Samples;
  /** Whether it fails as it must. Default: when the goal is missed. */
  judge?(samples: Samples, goal: Samples): Verdict;
}

/** Whether the control of a goal fails as it must. */
export function judgeControl(goal: Goal, samples: Samples, goalSamples: Samples, short: boolean): Verdict {
  const own = goal.control?.judge?.(samples, goalSamples);
  if (own !== undefined) return own;
  const { pass, text } = goal.judge(samples, short);
  return { pass: !pass, text };
}

export function merge(into: Samples, more: Samples): void {
  for (const [name, values] of Object.entries(more)) {
    const all = (into[name] ??= []);
    for (const v of values) all.push(v);
  }
}

export function of(samples: Samples, name: string): number[] {
  return samples[name] ?? [];
}

/** The smallest value that at least `share` of the samples do not pass. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] as number;
}

export function max(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

export function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
