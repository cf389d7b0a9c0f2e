// Cost of a pick at 1,000 endpoints: `npm run bench -w packages/balancer`. Prints nanoseconds and the ratio to an
// array-index loop in the same run, bytes allocated, and what update and building a table take. Exits
// with 1 where a bound is passed.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type Balancer,
  boundedLoad,
  type Endpoint,
  leastRequest,
  maglev,
  type PickRequest,
  peakEwma,
  pickFirst,
  random,
  rendezvous,
  ringHash,
  roundRobin,
  weightedRandom,
  weightedRoundRobin,
} from "@pipit/balancer";

const endpointCount = 1_000;
const pickCount = 1_000_000;
/** Short samples, many of them: the least then fell between what else the machine does. */
const chunkCount = 20_000;
const sampleCount = 150;
const buildSampleCount = 7;
const keyCount = 1_024;
/** After this long an estimate of latency holds for its full time. */
const ripeMs = 1_300;

interface Case {
  readonly name: string;
  readonly balancer: Balancer<Endpoint>;
  readonly isKeyed?: boolean;
  readonly weights?: boolean;
  /** Nanoseconds that a pick may take, where there is a goal. */
  readonly boundNs?: number;
  /** Picks per sample, for those that look at every endpoint. */
  readonly picks?: number;
}

const cases: readonly Case[] = [
  { name: "pickFirst", balancer: pickFirst() },
  { name: "random", balancer: random(), boundNs: 50 },
  { name: "roundRobin", balancer: roundRobin(), boundNs: 50 },
  { name: "weightedRandom", balancer: weightedRandom(), weights: true, boundNs: 60 },
  { name: "weightedRoundRobin", balancer: weightedRoundRobin(), weights: true, boundNs: 60 },
  { name: "leastRequest", balancer: leastRequest() },
  { name: "peakEwma", balancer: peakEwma(), boundNs: 100 },
  { name: "peakEwma, all filters", balancer: filtered() },
  { name: "maglev", balancer: maglev(), isKeyed: true, boundNs: 100 },
  { name: "ringHash", balancer: ringHash(), isKeyed: true, boundNs: 300 },
  { name: "rendezvous", balancer: rendezvous(), isKeyed: true, picks: 50_000 },
];

/** Picked and done, since a bounded load fills up otherwise. */
const bounded: Case = { name: "boundedLoad", balancer: boundedLoad(), isKeyed: true };

const requests: readonly PickRequest[] = Array.from({ length: keyCount }, (_, index) => ({
  hashKey: `customer:${100_000 + index * 7_919}`,
}));

let failed = false;
const only = process.argv[2] === "--case" ? process.argv[3] : undefined;
if (only === undefined) runAll();
else if (only === "tables") measureTables();
else for (const each of [...cases, bounded].filter(({ name }) => name === only)) measure(each);
if (failed) process.exitCode = 1;

/** Each case in a process of its own: what one teaches the compiler must not slow down another. */
function runAll(): void {
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}; ${endpointCount} endpoints`);
  console.log();
  console.log(
    "| policy | ns per pick | × index loop | goal | ns per pick and done | bytes per 10⁶ picks | update, ms |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const name of [...cases.map((each) => each.name), bounded.name, "tables"]) {
    const args = [...process.execArgv, fileURLToPath(import.meta.url), "--case", name];
    const child = spawnSync(process.execPath, args, { encoding: "utf8" });
    process.stdout.write(child.stdout);
    if (child.status === 0) continue;
    failed = true;
    process.stdout.write(child.stderr);
  }
  console.log(failed ? "\nA bound was passed." : "\nAll within bounds.");
}

function measureTables(): void {
  console.log();
  console.log(
    "Update: the same 1,000 endpoints as fresh objects, one of them changed from up to suspect or back (≤ 1 ms).",
  );
  const list = endpoints(false);
  report("Maglev table of 65,537 for 1,000 endpoints", best(() => maglev().update(list), buildSampleCount) / 1e6, 50);
  report(
    "Ring of 160,000 points for 1,000 endpoints",
    best(() => ringHash().update(list), buildSampleCount) / 1e6,
    undefined,
  );
}

function measure({ name, balancer, isKeyed = false, weights = false, boundNs, picks = pickCount }: Case): void {
  balancer.update(endpoints(weights));
  answerSome(balancer);
  // Young estimates fade within a second, and a cost of 0 is not what is to be measured.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ripeMs);
  answerSome(balancer);
  const isBounded = name === bounded.name;
  // Once through a schedule's cycle, so that what is measured is the steady state.
  if (!isBounded) pickLoop(balancer, picks, isKeyed);
  const chunk = Math.min(picks / 50, chunkCount);
  const list = endpoints(false);
  const indexNs = best(() => indexLoop(list, chunk), sampleCount) / chunk;
  const ns = isBounded ? Number.NaN : best(() => pickLoop(balancer, chunk, isKeyed), sampleCount) / chunk;
  const doneNs = best(() => doneLoop(balancer, chunk, isKeyed), sampleCount) / chunk;
  const bytes = isBounded ? Number.NaN : allocated(() => pickLoop(balancer, picks, isKeyed)) * (pickCount / picks);
  const updateMs = bestUpdateMs(balancer, weights);
  if (boundNs !== undefined && ns > boundNs) failed = true;
  if (updateMs > 1) failed = true;
  const cells = [
    name,
    shown(ns, 1),
    shown(ns / indexNs, 1),
    boundNs === undefined ? "" : `≤ ${boundNs}`,
    shown(doneNs, 1),
    shown(bytes, 0),
    shown(updateMs, 2),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

function answerSome(balancer: Balancer<Endpoint>): void {
  for (let index = 0; index < 20_000; index += 1) {
    balancer.pick(requests[index % keyCount])?.done({ result: "ok", elapsedMs: 10 + (index % 7) });
  }
}

function pickLoop(balancer: Balancer<Endpoint>, picks: number, isKeyed: boolean): void {
  for (let index = 0; index < picks; index += 1) balancer.pick(isKeyed ? requests[index & (keyCount - 1)] : undefined);
}

function doneLoop(balancer: Balancer<Endpoint>, picks: number, isKeyed: boolean): void {
  const outcome = { result: "ok", elapsedMs: 12.5 } as const;
  for (let index = 0; index < picks; index += 1) {
    balancer.pick(isKeyed ? requests[index & (keyCount - 1)] : undefined)?.done(outcome);
  }
}

function indexLoop(list: readonly Endpoint[], picks: number): number {
  let sum = 0;
  for (let index = 0; index < picks; index += 1) sum += list[index % endpointCount]?.address.length ?? 0;
  return sum;
}

function filtered(): Balancer<Endpoint> {
  return peakEwma({
    ejection: {},
    zone: { local: "a" },
    subset: { size: 100, seed: 1 },
    slowStart: {},
  });
}

function endpoints(weights: boolean, suspect = -1): Endpoint[] {
  return Array.from({ length: endpointCount }, (_, index) => ({
    id: `instance-${index}`,
    address: `10.0.${index >> 8}.${index & 255}:50051`,
    weight: weights ? 1 + (index % 10) : 1,
    zone: index % 3 === 0 ? "a" : index % 3 === 1 ? "b" : "c",
    state: index === suspect ? "suspect" : "up",
  }));
}

/** The least of some samples, in nanoseconds: others on the machine only ever add. */
function best(run: () => unknown, samples: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < samples; sample += 1) {
    const start = process.hrtime.bigint();
    run();
    least = Math.min(least, Number(process.hrtime.bigint() - start));
  }
  return least;
}

/** Bytes by which the young generation grew; it is made large enough for no collection to come between. */
function allocated(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < 3; sample += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return Math.max(0, least);
}

function bestUpdateMs(balancer: Balancer<Endpoint>, weights: boolean): number {
  const samples = Array.from({ length: 41 }, (_, index) => {
    const next = endpoints(weights, index % 2 === 0 ? 5 : -1);
    const start = process.hrtime.bigint();
    balancer.update(next);
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
  return Math.min(...samples);
}

function report(what: string, ms: number, boundMs: number | undefined): void {
  console.log(`${what}: ${ms.toFixed(1)} ms${boundMs === undefined ? "" : ` (goal ≤ ${boundMs})`}`);
  if (boundMs !== undefined && ms > boundMs) failed = true;
}

function shown(value: number, digits: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(digits);
}
