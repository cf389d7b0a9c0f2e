import { type BackoffOptions, defaultBackoff } from "./backoff.ts";
import { positive, whole } from "./checked-number.ts";
import { given } from "./given.ts";

/** How a client opens, keeps and closes its connections. */
export interface ConnectionOptions {
  /** `lazy` connects for the first call that goes to an endpoint, `eager` as soon as an endpoint is known. Default lazy. */
  readonly connect?: "lazy" | "eager" | undefined;
  /** Longest time until a connection is ready, in milliseconds. Default 3,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Connections per endpoint. More than one splits what is sent into smaller batches; rarely worth it. Default 1. */
  readonly connectionsPerEndpoint?: number | undefined;
  /** A connection without calls for this long is closed, in milliseconds. Default 300,000; Infinity keeps it. */
  readonly idleTimeoutMs?: number | undefined;
  /** A connection this old is replaced, in milliseconds ± 10 %, its calls ending first. Default Infinity. */
  readonly maxAgeMs?: number | undefined;
  /** Wait between failed connects. */
  readonly backoff?: BackoffOptions | undefined;
  /** Calls that wait for an endpoint or a connection [`resource_exhausted`]. Default 10,000. */
  readonly maxWaitingCalls?: number | undefined;
}

/** With the defaults filled in. */
export interface ResolvedConnectionOptions {
  readonly connect: "lazy" | "eager";
  readonly connectTimeoutMs: number;
  readonly connectionsPerEndpoint: number;
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number;
  readonly backoff: typeof defaultBackoff;
  readonly maxWaitingCalls: number;
}

/** @throws RangeError that names the option */
export function resolveConnectionOptions(options: ConnectionOptions = {}): ResolvedConnectionOptions {
  const { connect = "lazy", connectionsPerEndpoint = 1, maxAgeMs = Number.POSITIVE_INFINITY } = options;
  const { connectTimeoutMs = 3000, idleTimeoutMs = 300_000, maxWaitingCalls = 10_000 } = options;
  if (connect !== "lazy" && connect !== "eager") {
    throw new TypeError(`Option connect: expected "lazy" or "eager", got ${JSON.stringify(connect)}`);
  }
  return {
    connect,
    connectionsPerEndpoint: whole("connectionsPerEndpoint", connectionsPerEndpoint, 1, 64),
    connectTimeoutMs: positive("connectTimeoutMs", connectTimeoutMs),
    idleTimeoutMs: positive("idleTimeoutMs", idleTimeoutMs),
    maxAgeMs: positive("maxAgeMs", maxAgeMs),
    maxWaitingCalls: positive("maxWaitingCalls", maxWaitingCalls),
    backoff: { ...defaultBackoff, ...given(options.backoff ?? {}) },
  };
}
