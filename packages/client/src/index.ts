// For users.
export { createClient, type PipitClient } from "./create-client.ts";
export type { BackoffOptions } from "./backoff.ts";
export type { BreakerOptions } from "./breaker.ts";
export type { ConcurrencyOptions } from "./concurrency-limit.ts";
export type { ConnectionOptions } from "./connection-options.ts";
export type { Credentials, CredentialsRequest } from "./credentials.ts";
export type { HedgeOptions } from "./hedged-call.ts";
export type { ClientOptions } from "./options.ts";
export type { BalancerContext, Fallback, ResilienceOptions, RetryOptions } from "./resilience-options.ts";
export type { RetryBudgetOptions } from "./retry-budget.ts";
export type { MethodCallOptions, ServiceOptions } from "./service-options.ts";
export type { ClientStats, EndpointStats } from "./stats.ts";
export type { Target } from "./target.ts";

// Cluster strategies.
export {
  broadcast,
  type BroadcastOptions,
  type BroadcastResult,
  type ReplyOf,
  type RequestOf,
} from "./cluster/broadcast.ts";
export { failback, type Failback, type FailbackOptions } from "./cluster/failback.ts";
export { failfast } from "./cluster/failfast.ts";
export { failover } from "./cluster/failover.ts";
export { failsafe, type FailsafeOptions } from "./cluster/failsafe.ts";
export { forking, type ForkingOptions } from "./cluster/forking.ts";
export type { EndpointResult, UnaryMethod } from "./cluster/send-to.ts";

// For observers and authors of balancers.
export type { ChannelState } from "./endpoint-channel.ts";
export type { ClientCallFinish, ClientCallStart, ConnectEvent } from "./diagnostics.ts";
export type { ResolvedEndpoint, RouteEndpoint } from "./route.ts";
