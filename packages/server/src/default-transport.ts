import type { Transport } from "@pipit/protocol";
import * as transportTcp from "@pipit/transport-tcp";

/** What a server listens on when it is told nothing else. */
export function defaultTransport(): Transport {
  return (transportTcp as unknown as { tcp(): Transport }).tcp();
}
