import type { ChannelState } from "./endpoint-channel.ts";
import type { ClientCore } from "./client-core.ts";

/** One endpoint in {@link ClientStats}. */
export interface EndpointStats {
  readonly address: string;
  readonly state: ChannelState;
  readonly connections: number;
  readonly openCalls: number;
  /** Sendings since the endpoint is known. */
  readonly callCount: number;
  readonly lastError: string | undefined;
}

/** What `client.stats()` tells. */
export interface ClientStats {
  readonly target: string;
  /** Calls that have not ended. */
  readonly inFlight: number;
  /** Calls that wait for an endpoint or a connection. */
  readonly waiting: number;
  /** Since the client was made. */
  readonly calls: {
    readonly started: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly retries: number;
    readonly hedges: number;
  };
  readonly endpoints: readonly EndpointStats[];
}

/** A snapshot of a client. */
export function statsOf(core: ClientCore): ClientStats {
  return {
    target: core.target.text,
    inFlight: core.inFlight,
    waiting: core.waiting.size,
    calls: { ...core.counts },
    endpoints: core.channels.map((channel) => ({
      address: channel.address,
      state: channel.state,
      connections: channel.connectionCount,
      openCalls: channel.openCalls,
      callCount: channel.callCount,
      lastError: channel.lastError?.message,
    })),
  };
}
