import type { Transport } from "@pipit/protocol";
import { tcp } from "@pipit/transport-tcp";

/** What a server listens on when it is told nothing else. */
export function defaultTransport(): Transport {
  return tcp();
}
