import { assertService, createInstance } from "./instance.ts";
import { assertNewer, createLease, type LeaseEntry, type LeasePort, lostLeaseError } from "./lease.ts";
import type { Lease, Registration, Registry, Snapshot, WatchOptions } from "./registry.ts";
import { defaultMaxWatchers, SnapshotHub } from "./snapshot-hub.ts";

/** Registered instances in one memory registry. More than any one process serves. */
const defaultMaxInstances = 100_000;

/** What {@link memoryRegistry} takes. */
export interface MemoryRegistryOptions {
  /** Instances before `register` refuses. Default 100,000. */
  readonly maxInstances?: number | undefined;
  /** Open iterators before `watch` refuses. Default 100,000. */
  readonly maxWatchers?: number | undefined;
}

/**
 * A registry inside one process: for tests, for the simulation, and for clients and servers that share a process.
 *
 * @example
 * const registry = memoryRegistry();
 * const lease = await registry.register({ id: "a", service: "greeter", host: "127.0.0.1", port: 50051 });
 * for await (const { instances } of registry.watch("greeter")) console.log(instances);
 */
export function memoryRegistry(options: MemoryRegistryOptions = {}): Registry {
  return new MemoryRegistry(options);
}

class MemoryRegistry implements Registry {
  readonly #hub: SnapshotHub;
  readonly #services = new Map<string, Map<string, LeaseEntry>>();
  readonly #maxInstances: number;
  readonly #leasePort: LeasePort = {
    change: (entry, next, action) => this.#change(entry, next, action),
    remove: (entry) => this.#remove(entry),
  };
  #instanceCount = 0;
  #lastGeneration = 0;

  constructor(options: MemoryRegistryOptions) {
    this.#maxInstances = options.maxInstances ?? defaultMaxInstances;
    this.#hub = new SnapshotHub({ maxWatchers: options.maxWatchers ?? defaultMaxWatchers });
  }

  async register(registration: Registration): Promise<Lease> {
    const instance = createInstance(registration, this.#lastGeneration + 1);
    this.#hub.assertOpen(`register "${instance.id}"`);
    const known = this.#services.get(instance.service)?.get(instance.id);
    assertNewer(instance, known);
    if (known === undefined && this.#instanceCount >= this.#maxInstances) {
      throw new Error(`Cannot register "${instance.id}": ${this.#instanceCount} instances are registered, the limit`);
    }
    this.#lastGeneration = Math.max(this.#lastGeneration, instance.generation);
    const entry: LeaseEntry = { instance, draining: false };
    this.#put(entry);
    return createLease(entry, this.#leasePort);
  }

  watch(service: string, options?: WatchOptions): AsyncIterable<Snapshot> {
    assertService(service);
    return this.#hub.watch(service, options);
  }

  async list(service: string): Promise<Snapshot> {
    assertService(service);
    this.#hub.assertOpen(`list service "${service}"`);
    return this.#hub.current(service) as Snapshot; // a memory registry always knows
  }

  async close(): Promise<void> {
    this.#hub.close();
    this.#services.clear();
    this.#instanceCount = 0;
  }

  #put(entry: LeaseEntry): void {
    const { service, id } = entry.instance;
    let entries = this.#services.get(service);
    if (entries === undefined) {
      entries = new Map();
      this.#services.set(service, entries);
    }
    if (!entries.has(id)) this.#instanceCount += 1;
    entries.set(id, entry);
    this.#publish(service);
  }

  #change(entry: LeaseEntry, next: Readonly<LeaseEntry>, action: string): void {
    const { service, id } = entry.instance;
    this.#hub.assertOpen(`${action} "${id}"`);
    const current = this.#services.get(service)?.get(id);
    if (current !== entry) throw lostLeaseError(entry, action, current);
    if (next.instance === entry.instance && next.draining === entry.draining) return;
    Object.assign(entry, next);
    this.#publish(service);
  }

  #remove(entry: LeaseEntry): void {
    const { service, id } = entry.instance;
    const entries = this.#services.get(service);
    if (entries?.get(id) !== entry) return;
    entries.delete(id);
    if (entries.size === 0) this.#services.delete(service);
    this.#instanceCount -= 1;
    this.#publish(service);
  }

  #publish(service: string): void {
    const views = [];
    for (const { instance, draining } of this.#services.get(service)?.values() ?? []) {
      views.push(Object.freeze({ ...instance, state: draining ? ("draining" as const) : ("up" as const) }));
    }
    this.#hub.publish(service, views);
  }
}
