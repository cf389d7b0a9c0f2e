import { normalAt } from "./random.ts";

/** Something that goes wrong with a process, again and again, from a certain measurement on. */
export type Disturbance =
  /** The level jumps, until somebody adjusts the machine. */
  | { readonly type: "shift"; readonly sigmas: number; readonly length: number }
  /** The level creeps away by this much in all, and is set back. */
  | { readonly type: "drift"; readonly sigmas: number; readonly length: number }
  /** The level creeps all the time; the tool is changed at the end of each period. */
  | { readonly type: "toolWear"; readonly sigmas: number }
  /** Single values far off. */
  | { readonly type: "outlier"; readonly sigmas: number };

/** A characteristic as its process makes it. */
export interface SimulatedCharacteristic {
  readonly characteristic: string;
  readonly mean: number;
  readonly sigma: number;
  readonly disturbance: Disturbance;
  /** Measurements from one disturbance to the next. The first period passes in peace: it is the baseline. */
  readonly period: number;
}

/** A station: what it measures, in turn. */
export interface SimulatedStation {
  readonly name: string;
  readonly characteristics: readonly SimulatedCharacteristic[];
}

/* The line. Means, limits and sigmas fit the control plan in `data/line.json`. */
const turning: readonly SimulatedCharacteristic[] = [
  {
    characteristic: "shaft diameter",
    mean: 25,
    sigma: 0.004,
    disturbance: { type: "toolWear", sigmas: 1.2 },
    period: 400,
  },
  {
    characteristic: "shaft roughness",
    mean: 0.8,
    sigma: 0.05,
    disturbance: { type: "outlier", sigmas: 5 },
    period: 200,
  },
];
const boring: readonly SimulatedCharacteristic[] = [
  {
    characteristic: "bore diameter",
    mean: 12,
    sigma: 0.006,
    disturbance: { type: "shift", sigmas: 1.6, length: 24 },
    period: 240,
  },
];
const filling: readonly SimulatedCharacteristic[] = [
  {
    characteristic: "fill volume",
    mean: 500,
    sigma: 1.2,
    disturbance: { type: "shift", sigmas: -2.5, length: 12 },
    period: 220,
  },
];
const moulding: readonly SimulatedCharacteristic[] = [
  {
    characteristic: "wall thickness",
    mean: 2.4,
    sigma: 0.02,
    disturbance: { type: "drift", sigmas: 2.4, length: 40 },
    period: 300,
  },
  {
    characteristic: "part weight",
    mean: 31.5,
    sigma: 0.11,
    disturbance: { type: "outlier", sigmas: -4.5 },
    period: 180,
  },
];

/** The stations of a process: cells of two kinds take turns, so that each further instance measures something. */
export function stationsOf(instance: number): readonly SimulatedStation[] {
  const [first, second] = [
    { turning, boring },
    { filling, moulding },
  ];
  return Object.entries((instance % 2 === 1 ? first : second) ?? {}).map(([kind, characteristics]) => ({
    name: `${kind}-${instance}`,
    characteristics,
  }));
}

/** The value of a station's measurement number `sequence`, from 1, and whose characteristic it is. */
export function measure(
  seed: number,
  { name, characteristics }: SimulatedStation,
  sequence: number,
): { readonly characteristic: string; readonly value: number } {
  const of = characteristics[(sequence - 1) % characteristics.length];
  if (of === undefined) throw new RangeError(`Station ${name} measures nothing`);
  /** Measurements of this characteristic before. */
  const index = Math.floor((sequence - 1) / characteristics.length);
  const noise = normalAt(seed, `${name}/${of.characteristic}`, index);
  return { characteristic: of.characteristic, value: of.mean + of.sigma * (noise + displacement(of, index)) };
}

/** How far the process is off its mean, in sigmas. */
export function displacement({ disturbance, period }: SimulatedCharacteristic, index: number): number {
  if (index < period) return 0;
  const phase = index % period;
  switch (disturbance.type) {
    case "shift":
      return phase < disturbance.length ? disturbance.sigmas : 0;
    case "drift":
      return phase < disturbance.length ? (disturbance.sigmas * phase) / disturbance.length : 0;
    case "toolWear":
      return (disturbance.sigmas * phase) / period;
    case "outlier":
      return phase === 0 ? disturbance.sigmas : 0;
    default:
      return disturbance satisfies never;
  }
}
