import { createClient, type PipitClient } from "pipit";

/**
 * One client per process, for what is asked of this very one and not of whoever is free: its statistics, and to play a fault. No breaker and no
 * ejection: there is nobody else to ask, and what is broken must be mendable.
 */
export class ProcessClients {
  readonly #clients = new Map<string, PipitClient>();

  at(address: string): PipitClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = createClient({ target: address, breaker: false, ejection: false });
      this.#clients.set(address, client);
    }
    return client;
  }

  /** Closes the clients of all other addresses: a process that starts again has a new one. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const [address, client] of this.#clients) {
      if (addresses.has(address)) continue;
      this.#clients.delete(address);
      void client.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
