import { assertService, createInstance, updateInstance } from "./instance.ts";
import type { Instance, InstanceUpdate, Lease, Registration, Registry, Snapshot, WatchOptions } from "./registry.ts";
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

/** One registered life. It is current while it is the one found under its service and id. */
interface Entry {
  instance: Instance;
  draining: boolean;
}

class MemoryRegistry implements Registry {
  readonly #hub: SnapshotHub;
  readonly #services = new Map<string, Map<string, Entry>>();
  readonly #maxInstances: number;
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
    if (known !== undefined && known.instance.generation >= instance.generation) {
      throw new Error(
        `Cannot register "${instance.id}" for "${instance.service}" with generation ${instance.generation}: ` +
          `it is registered with generation ${known.instance.generation}; expected a newer one`,
      );
    }
    if (known === undefined && this.#instanceCount >= this.#maxInstances) {
      throw new Error(`Cannot register "${instance.id}": ${this.#instanceCount} instances are registered, the limit`);
    }
    this.#lastGeneration = Math.max(this.#lastGeneration, instance.generation);
    const entry: Entry = { instance, draining: false };
    this.#put(entry);
    return new MemoryLease(entry, {
      change: (action, apply) => this.#change(entry, action, apply),
      remove: () => this.#remove(entry),
    });
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

  #put(entry: Entry): void {
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

  #change(entry: Entry, action: string, apply: () => boolean): void {
    const { service, id, generation } = entry.instance;
    this.#hub.assertOpen(`${action} "${id}"`);
    const current = this.#services.get(service)?.get(id);
    if (current !== entry) {
      const why = current === undefined ? "its lease was released" : `generation ${generation} was replaced by a newer`;
      throw new Error(`Cannot ${action} "${id}" of "${service}": ${why}`);
    }
    if (apply()) this.#publish(service);
  }

  #remove(entry: Entry): void {
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

interface LeasePort {
  /** Runs `apply`, which says whether anything changed, if the lease still holds. */
  change(action: string, apply: () => boolean): void;
  remove(): void;
}

class MemoryLease implements Lease {
  readonly #entry: Entry;
  readonly #port: LeasePort;

  constructor(entry: Entry, port: LeasePort) {
    this.#entry = entry;
    this.#port = port;
  }

  get instance(): Instance {
    return this.#entry.instance;
  }

  async update(change: InstanceUpdate): Promise<void> {
    this.#port.change("update", () => {
      this.#entry.instance = updateInstance(this.#entry.instance, change);
      return true;
    });
  }

  async drain(): Promise<void> {
    this.#port.change("drain", () => {
      if (this.#entry.draining) return false;
      this.#entry.draining = true;
      return true;
    });
  }

  async release(): Promise<void> {
    this.#port.remove();
  }

  [Symbol.dispose](): void {
    this.#port.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.remove();
  }
}
