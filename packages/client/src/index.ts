// For users.
export { createClient, type PipitClient } from "./create-client.ts";
export type { BackoffOptions } from "./backoff.ts";
export type { ConnectionOptions } from "./connection-options.ts";
export type { Credentials, CredentialsRequest } from "./credentials.ts";
export type { BalancerContext, ClientOptions, RetryOptions } from "./options.ts";
export type { RetryBudgetOptions } from "./retry-budget.ts";
export type { ResolvedEndpoint, RouteEndpoint } from "./route.ts";
export type { ClientStats, EndpointStats } from "./stats.ts";
export type { Target } from "./target.ts";
