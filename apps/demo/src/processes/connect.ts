import { type ClientOptions, createClient, type Interceptor, type PipitClient, type Registry } from "pipit";
import { ringHash } from "pipit/balancer";

/**
 * A frozen process keeps its sockets, so only silence tells. The framework asks after 10 s by default; a demo that lasts two
 * minutes asks sooner. Shorter still, and a busy machine would look frozen.
 */
const keepalive = { keepaliveMs: 1000, keepaliveTimeoutMs: 1500 };

/** The two clients of a process. */
export interface Clients {
  /** For every service but the charts: the instance that answers fastest gets the call. */
  readonly client: PipitClient;
  /** For the charts: calls with the same `hashKey` go to the same instance, as long as it is there. */
  readonly chartsClient: PipitClient;
  close(): Promise<void>;
}

/** Clients that find their servers in the registry. `interceptor` sees the calls of both. */
export function connect(registry: Registry, interceptor?: Interceptor): Clients {
  const options: ClientOptions = {
    target: { registry },
    limits: keepalive,
    // Replies of `once` calls lie in a database that all instances share: a second sending may go to any of them.
    retry: { sharedReplyStore: true },
    // Lookups that dawdle are asked of a second instance: a slow one is not felt while it is found out.
    resilience: { hedge: { percentile: 0.95, minDelayMs: 20, initialDelayMs: 100 } },
    // Shorter than the default: who watches wants to see an instance come back.
    ejection: { baseMs: 5000 },
  };
  const client = createClient(options);
  const chartsClient = createClient({
    ...options,
    // Another owner is a change of hands, which costs more than a slow answer.
    resilience: { hedge: false },
    balancer: ({ now, random, ejection }) => ringHash({ now, random, ejection }),
  });
  if (interceptor !== undefined) for (const each of [client, chartsClient]) each.use(interceptor);
  return {
    client,
    chartsClient,
    async close() {
      await Promise.all([client.close(), chartsClient.close()]);
    },
  };
}
