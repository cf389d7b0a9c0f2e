/** Servers that find each other by gossip on loopback, each a member of its own, and one client that follows them. */
import { type GossipRegistry, type PipitClient, type Server, createClient, createServer, gossipRegistry } from "pipit";
import { Probe } from "../support/contracts.ts";

/** A tenth of the default times, so that a death is known in well under a second. */
const timing = {
  probePeriodMs: 100,
  ackTimeoutMs: 60,
  gossipIntervalMs: 30,
  confirmTimeoutMs: 150,
  witnessGraceMs: 400,
  syncIntervalMs: 100,
  joinRetryMs: 100,
  reconnectPeriodMs: 300,
} as const;

/** One server process, as far as one process can hold several. */
export interface Replica {
  readonly name: string;
  readonly gossip: string;
  readonly server: Server;
  readonly registry: GossipRegistry;
}

/** All that a test opened, closed by one call. */
export class GossipFleet {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #replicas: Replica[] = [];

  /** Starts a server under `name`, at a known gossip port when it comes back. */
  async start(name: string, port = 0): Promise<Replica> {
    const seeds = this.#replicas.map(({ gossip }) => gossip);
    const registry = gossipRegistry({ id: name, port, seeds, timing });
    const at = await registry.open();
    const server = createServer({ registry, id: name });
    server.handle(Probe, { plain: () => ({ text: name }), safe: () => ({ text: name }) } as never);
    await server.listen({ port: 0 });
    const replica = { name, gossip: `${at.host}:${at.port}`, server, registry };
    this.#replicas.push(replica);
    this.#closers.push(
      () => server.close({ graceMs: 0 }),
      () => registry.destroy(),
    );
    return replica;
  }

  /** A client that is a member too, and serves nothing. */
  async follow(): Promise<{ client: PipitClient; registry: GossipRegistry }> {
    const registry = gossipRegistry({ id: "client", seeds: this.#replicas.map(({ gossip }) => gossip), timing });
    const client = createClient({ target: { registry } });
    this.#closers.push(
      () => client.close(),
      () => registry.destroy(),
    );
    return { client, registry };
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
  }
}

/** As `kill -9` would: no record is withdrawn, no farewell said. */
export async function kill({ registry, server }: Replica): Promise<void> {
  await registry.destroy();
  await server.close({ graceMs: 0 });
}

/** Follows the service until it reads so: `a up, b stale`. */
export async function reads(registry: GossipRegistry, wanted: string): Promise<void> {
  for await (const { instances } of registry.watch(Probe.name)) {
    if (instances.map(({ id, state }) => `${id} ${state}`).join(", ") === wanted) return;
  }
}
