import type { Transport } from "@pipit/protocol";
import { tcp } from "@pipit/transport-tcp";

/** How a client reaches servers when it is told nothing else. */
export function defaultTransport(): Transport {
  return tcp();
}
