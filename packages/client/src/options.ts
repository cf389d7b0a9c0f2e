import {
  type CallOptions,
  type Clock,
  defaultLimits,
  type Random,
  type SessionLimits,
  systemClock,
  systemRandom,
  type Transport,
} from "@pipit/protocol";
import type { InstanceView } from "@pipit/registry";
import {
  type ConnectionOptions,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
} from "./connection-options.ts";
import type { Credentials } from "./credentials.ts";
import { given } from "./given.ts";
import type { ResilienceOptions } from "./resilience-options.ts";
import type { Target } from "./target.ts";

/** Options of `createClient`. Those of resilience lie under the ones of every service and method. */
export interface ClientOptions extends ResilienceOptions {
  /** `"host:port"`, a list of them, or `{ registry }`, in which the name of each service is looked up. */
  readonly target: Target;
  /** Default `tcp()`. */
  readonly transport?: Transport | undefined;
  /** Under the options of every call. */
  readonly defaults?: CallOptions | undefined;
  /** Where this client stands: endpoints of the same zone are preferred. */
  readonly zone?: string | undefined;
  /** Metadata added to each call, such as a token. Never sent in the clear off this machine unless told. */
  readonly credentials?: Credentials | undefined;
  /** How connections are opened, kept and closed. */
  readonly connection?: ConnectionOptions | undefined;
  /** The name that an instance's certificate must be for. Default: its host. */
  readonly serverName?: ((instance: InstanceView) => string | undefined) | undefined;
  /** Bounds of each connection. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Time and timers. Default: the system's; tests give a virtual one. */
  readonly clock?: Clock | undefined;
  /** Default: the system's; tests give a seeded one. */
  readonly random?: Random | undefined;
}

/** Options with their defaults filled in. */
export interface ResolvedClientOptions {
  readonly connection: ResolvedConnectionOptions;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly random: Random;
}

/** @throws RangeError or TypeError that names the option */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const { clock = systemClock, random = systemRandom } = options;
  return {
    connection: options.connection === undefined ? defaultConnection : resolveConnectionOptions(options.connection),
    limits: options.limits === undefined ? defaultLimits : { ...defaultLimits, ...given(options.limits) },
    clock,
    random,
  };
}

/** One for all clients that say nothing else. */
const defaultConnection = resolveConnectionOptions();
