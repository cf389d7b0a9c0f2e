import { type Client, createClient, type Interceptor, type PipitClient, type Registry } from "pipit";
import { ringHash } from "pipit/balancer";
import { Charts } from "../contracts/index.ts";

/**
 * A frozen process keeps its sockets, so only silence tells. The framework asks after 10 s by default; a demo that lasts two
 * minutes asks sooner. Shorter still, and a busy machine would look frozen.
 */
const keepalive = { keepaliveMs: 1000, keepaliveTimeoutMs: 1500 };

/** A client that finds every service of the demo in the registry. `interceptor` sees its calls. */
export function connect(registry: Registry, interceptor?: Interceptor): PipitClient {
  const client = createClient({
    target: { registry },
    limits: keepalive,
    // Replies of `once` calls lie in a database that all instances share: a second sending may go to any of them.
    retry: { sharedReplyStore: true },
    // A lookup that dawdles is asked of a second instance as well: a slow one is not felt while it is found out.
    hedge: { percentile: 0.95, minDelayMs: 20, initialDelayMs: 100 },
    // Shorter than the default: who watches wants to see an instance come back.
    ejection: { baseMs: 5000 },
    breaker: { openMs: 5000 },
  });
  if (interceptor !== undefined) client.use(interceptor);
  return client;
}

/** The charts, by consistent hashing: calls with the same `hashKey` go to the same instance for as long as it is there. */
export function chartsOf(client: PipitClient): Client<typeof Charts> {
  return client.service(Charts, {
    balancer: ({ now, random, ejection }) => ringHash({ now, random, ejection }),
    // A second opinion would come from an instance that had to take the characteristic over first.
    methods: { record: { hedge: false } },
  });
}
