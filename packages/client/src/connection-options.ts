import { type BackoffOptions, defaultBackoff } from "./backoff.ts";

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
  const { connect = "lazy", connectionsPerEndpoint = 1 } = options;
  if (connect !== "lazy" && connect !== "eager") {
    throw new TypeError(`Option connect: expected "lazy" or "eager", got ${JSON.stringify(connect)}`);
  }
  if (!Number.isInteger(connectionsPerEndpoint) || connectionsPerEndpoint < 1 || connectionsPerEndpoint > 64) {
    throw new RangeError(`Option connectionsPerEndpoint: expected 1 to 64, got ${connectionsPerEndpoint}`);
  }
  const given = Object.entries(options.backoff ?? {}).filter(([, value]) => value !== undefined);
  return {
    connect,
    connectionsPerEndpoint,
    connectTimeoutMs: positive("connectTimeoutMs", options.connectTimeoutMs, 3000),
    idleTimeoutMs: positive("idleTimeoutMs", options.idleTimeoutMs, 300_000),
    maxAgeMs: positive("maxAgeMs", options.maxAgeMs, Number.POSITIVE_INFINITY),
    maxWaitingCalls: positive("maxWaitingCalls", options.maxWaitingCalls, 10_000),
    backoff: { ...defaultBackoff, ...Object.fromEntries(given) },
  };
}

/** @throws RangeError when the value is not above 0 */
export function positive(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (!(value > 0)) throw new RangeError(`Option ${name}: expected more than 0, got ${value}`);
  return value;
}
