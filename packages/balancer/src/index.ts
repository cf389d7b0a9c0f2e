// What a balancer is.
export type {
  Balancer,
  Endpoint,
  EndpointState,
  LoadReport,
  Outcome,
  Pick,
  PickRequest,
  Random,
  Result,
  Tier,
} from "./contract.ts";

// Policies.
export { boundedLoad, type BoundedLoadOptions } from "./bounded-load.ts";
export { leastRequest } from "./least-request.ts";
export { maglev } from "./maglev.ts";
export { peakEwma } from "./peak-ewma.ts";
export { pickFirst } from "./pick-first.ts";
export { random } from "./random.ts";
export { rendezvous } from "./rendezvous.ts";
export { ringHash, type RingHashOptions } from "./ring-hash.ts";
export { roundRobin } from "./round-robin.ts";
export { weightedRandom } from "./weighted-random.ts";
export { weightedRoundRobin, type WeightedRoundRobinOptions } from "./weighted-round-robin.ts";

// What every policy takes and returns.
export type { BalancerOptions, PolicyBalancer } from "./policy-balancer.ts";
export type { EjectionOptions, FailurePercentageOptions, SuccessRateOptions } from "./ejection.ts";
export type { LatencyOptions } from "./latency.ts";
export type { ReportedWeightOptions } from "./load.ts";
export type { SlowStartOptions } from "./slow-start.ts";
export type { SubsetOptions } from "./subset.ts";
export type { ZoneOptions } from "./zone.ts";

// Statistics that several balancers share, and the hash that all clients agree on.
export { createPool, type EndpointStats, type Pool, type PoolOptions } from "./pool.ts";
export { hash64 } from "./hash.ts";
