import { once } from "node:events";
import { startGateway } from "./supervisor/gateway-process.ts";
import { startSystem } from "./supervisor/start-system.ts";

/** How many processes of each kind: two of what may be lost, three where a share of the load is to be seen. */
export const processCounts = { stations: 2, inspection: 3, charts: 3, "non-conformance": 2, operators: 1 } as const;

/** Options of {@link runLive}. */
export interface LiveOptions {
  readonly planPath: string;
  readonly seed: number;
  /** Port of the page; 0 for any. */
  readonly port: number;
  readonly signal: AbortSignal;
}

/** Starts the whole demo and its page, prints one address, and runs until `signal` fires. */
export async function runLive({ planPath, seed, port, signal }: LiveOptions): Promise<void> {
  console.log("Starting the line …");
  const system = await startSystem({ planPath, seed, counts: processCounts, signal });
  try {
    const gateway = await startGateway({ seeds: system.seeds, port, adopt: (child) => system.supervisor.adopt(child) });
    try {
      console.log(`Open ${gateway.url}\nCtrl-C ends it.`);
      if (!signal.aborted) await Promise.race([once(signal, "abort"), gateway.lost]);
    } finally {
      await gateway.close();
    }
  } finally {
    await system.close();
  }
}
