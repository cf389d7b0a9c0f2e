import {
  type Balancer,
  type BalancerOptions,
  type Endpoint,
  leastRequest,
  peakEwma,
  random,
  roundRobin,
} from "@pipit/balancer";
import type { Scenario } from "./model.ts";
import type { Behaviour, ReplicaOptions } from "./replica.ts";

type Options = Parameters<Scenario["createBalancer"]>[0];

/** Ways to balance that the tables compare. */
export const policies = {
  "peak ewma": (options: Options): Balancer => peakEwma(options),
  "peak ewma, penalty off": (options: Options): Balancer => peakEwma({ ...options, penaltyMs: 0 }),
  "least request": (options: Options): Balancer => leastRequest(options),
  "round robin": (options: Options): Balancer => roundRobin(options),
  random: (options: Options): Balancer => random(options),
} satisfies Record<string, (options: Options & BalancerOptions<Endpoint>) => Balancer<Endpoint>>;

export type PolicyName = keyof typeof policies;

const well: Behaviour = { slowness: 1, fate: "serve" };

/** Ten replicas of which the first behaves as told. */
export function fleet(shape: Omit<ReplicaOptions, "behaviour">, first: ReplicaOptions["behaviour"] = () => well) {
  return Array.from({ length: 10 }, (_, index) => ({ ...shape, behaviour: index === 0 ? first : () => well }));
}

/** Calls never wait for each other: service takes 21 ms in the mean (p50 20 ms, p99 40 ms), and latency is all there is to see. */
export const unqueued = { workers: Number.POSITIVE_INFINITY, meanMs: 21, sigma: 0.3 };

/** The same with six workers, so that 200 calls/s are a load of 70 %. */
export const queued = { ...unqueued, workers: 6 };

/** One call at a time, of 3.5 ms in the mean and widely spread: 200 calls/s are a load of 70 %, and queues form. */
export const single = { workers: 1, meanMs: 3.5, sigma: 0.8 };

/** Ten times slower than the others. */
export const slow = (): Behaviour => ({ slowness: 10, fate: "serve" });

/** Says no at once. */
export const failing = (): Behaviour => ({ slowness: 1, fate: "fail" });

/** Takes calls and never answers. */
export const silent = (): Behaviour => ({ slowness: 1, fate: "silent" });

/** Says no at once until a moment, then works. */
export function failingUntil(healedAtMs: number): (nowMs: number) => Behaviour {
  return (nowMs) => (nowMs < healedAtMs ? failing() : well);
}

/** This share of what it serves fails. */
export function flaky(failureShare: number): () => Behaviour {
  return () => ({ ...well, failureShare });
}

/** Ten clients that make 2,000 calls/s together. */
export function scenario(policy: PolicyName, seed: number, rest: Partial<Scenario> = {}): Scenario {
  return {
    seed,
    clientCount: 10,
    callsPerSecond: 2_000,
    replicas: fleet(unqueued),
    warmUpMs: 2_000,
    endMs: 8_000,
    createBalancer: policies[policy],
    ...rest,
  };
}
