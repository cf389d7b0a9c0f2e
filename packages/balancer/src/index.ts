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
export { pickFirst } from "./pick-first.ts";
export type { BalancerOptions, PolicyBalancer } from "./policy-balancer.ts";
// Statistics that several balancers share.
export type { Pool, PoolOptions } from "./pool.ts";
export { random } from "./random.ts";
export { roundRobin } from "./round-robin.ts";
export { weightedRoundRobin } from "./weighted-round-robin.ts";
