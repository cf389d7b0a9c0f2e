import { createTransport, type Transport } from "@pipit/protocol";
import { memoryTransport, type VirtualClock, virtualClock } from "@pipit/simulation";

export {
  between,
  memoryTransport,
  type RunUntilOptions,
  seededRandom,
  type SimulatedHost,
  type SimulatedLink,
  type SimulatedNetwork,
  simulatedNetwork,
  type SimulatedNetworkOptions,
  type VirtualClock,
} from "@pipit/simulation";
export { createTransport } from "@pipit/protocol";

/** A transport within this process. */
export interface MemoryLink extends Transport {
  /** Where the first server listens: a client's target, known before anybody listens. */
  readonly address: string;
}

/**
 * The true stack without sockets, for your own tests: `server.listen({ transport: link })` and
 * `createClient({ target: link.address, transport: link })`.
 *
 * @example
 * ```ts
 * const link = memory();
 * await server.listen({ transport: link });
 * const client = createClient({ target: link.address, transport: link });
 * ```
 */
export function memory(): MemoryLink {
  const streams = memoryTransport();
  const { name, connect, listen } = createTransport(streams);
  return { name, connect, listen, address: streams.address };
}

/** A clock that moves only when told: pass it to server and client, then `await clock.advance(ms)`. */
export function fakeClock(startMs = 0): VirtualClock {
  return virtualClock(startMs);
}
