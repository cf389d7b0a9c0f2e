import type { Transport } from "@pipit/protocol";
import { tcp } from "@pipit/transport-tcp";

let shared: Transport | undefined;

/**
 * How clients reach servers when they are told nothing else: one for all of them, so that what one of them has agreed on with a
 * server need not be said again by the others.
 */
export function defaultTransport(): Transport {
  return (shared ??= tcp());
}
