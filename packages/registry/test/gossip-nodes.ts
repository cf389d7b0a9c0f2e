import assert from "node:assert/strict";
import type { GossipRegistry, GossipRegistryEvent, GossipRegistryOptions } from "../src/gossip-options.ts";
import { gossipRegistry } from "../src/gossip-registry.ts";
import type { Registration, Registry, Snapshot } from "../src/registry.ts";

/** Protocol times for one machine: a tenth of the defaults, where a test waits for a verdict. */
export const quickTiming: NonNullable<GossipRegistryOptions["timing"]> = {
  probePeriodMs: 100,
  ackTimeoutMs: 60,
  gossipIntervalMs: 30,
  confirmTimeoutMs: 150,
  witnessGraceMs: 400,
  frozenTimeoutMs: 3_000,
  syncIntervalMs: 100,
  joinRetryMs: 100,
  reconnectPeriodMs: 300,
  observePeriodMs: 100,
};

/** A member on loopback and what it told. */
export interface TestNode {
  readonly registry: GossipRegistry;
  readonly events: GossipRegistryEvent[];
  /** Calls `listener` with each event, past and to come. */
  onEvent(listener: (event: GossipRegistryEvent) => void): void;
  /** Resolves with the first such event, past or to come. */
  event<T extends GossipRegistryEvent["type"]>(type: T): Promise<Extract<GossipRegistryEvent, { readonly type: T }>>;
}

/** Members that join through the first, and end together. */
export class TestCluster {
  readonly nodes: TestNode[] = [];
  #seed: string | undefined;

  /** Opens one more member. `seeds` default to the first member. */
  async add(id: string, options: GossipRegistryOptions = {}): Promise<TestNode> {
    const events: GossipRegistryEvent[] = [];
    const listeners = new Set<(event: GossipRegistryEvent) => void>();
    const registry = gossipRegistry({
      id,
      timing: quickTiming,
      seeds: this.#seed === undefined ? [] : [this.#seed],
      ...options,
      onEvent(event) {
        events.push(event);
        for (const listener of listeners) listener(event);
      },
    });
    const onEvent: TestNode["onEvent"] = (listener) => {
      events.forEach((event) => listener(event));
      listeners.add(listener);
    };
    const node: TestNode = {
      registry,
      events,
      onEvent,
      event: (type) =>
        new Promise((resolve) => {
          onEvent((event) => {
            if (event.type === type) resolve(event as Parameters<typeof resolve>[0] & typeof event);
          });
        }),
    };
    this.nodes.push(node);
    const { host, port } = await registry.open();
    this.#seed ??= `${host}:${port}`;
    return node;
  }

  /** Address of the first member. */
  get seed(): string {
    assert.ok(this.#seed !== undefined, "no member is open yet");
    return this.#seed;
  }

  /** Ends all members without a farewell, which is quicker. */
  async end(): Promise<void> {
    await Promise.all(this.nodes.map(({ registry }) => registry.destroy()));
  }
}

/** Runs `body` with a cluster that is ended whatever happens, also when the test's time is over. */
export async function withCluster(
  { signal }: { readonly signal: AbortSignal },
  body: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const cluster = new TestCluster();
  signal.addEventListener("abort", () => void cluster.end());
  try {
    await body(cluster);
  } finally {
    await cluster.end();
  }
}

/** Follows `service` until its instances read `wanted`, such as "a up, b draining". Returns all that was seen. */
export async function sees(registry: Registry, wanted: string, service: string = "greeter"): Promise<string[]> {
  const seen: string[] = [];
  for await (const snapshot of registry.watch(service)) {
    seen.push(read(snapshot));
    if (seen.at(-1) === wanted) return seen;
  }
  throw new assert.AssertionError({ message: `the watch ended after ${seen.join(" → ")}, wanted ${wanted}` });
}

/** A snapshot as text: "a up, b draining". */
export function read({ instances }: Snapshot): string {
  return instances.map(({ id, state }) => `${id} ${state}`).join(", ");
}

/** What the tests register. */
export function greeter(id: string, more: Partial<Registration> = {}): Registration {
  return { id, service: "greeter", host: "127.0.0.1", port: 50_051, ...more };
}
