import { joinHostPort, parseAddress } from "./address.ts";
import { assertService, createInstance } from "./instance.ts";
import type { InstanceView, Lease, Registration, Registry, Snapshot, WatchOptions } from "./registry.ts";
import { SnapshotHub } from "./snapshot-hub.ts";

/**
 * One fixed address: `"host:port"`, `"[v6]:port"`, `"unix:/path"`, or an object that says more. Its `id` is the address
 * unless given.
 */
export type StaticAddress = string | StaticInstance;

/** A fixed instance. Fields left out get the defaults of {@link Registration}. */
export interface StaticInstance extends Omit<Registration, "id" | "service"> {
  /** Default: the address. */
  readonly id?: string | undefined;
}

/**
 * A registry that never changes, from a plain object: for configuration files, and for tests.
 *
 * It is read-only: `register` rejects. A service that the map does not name is empty.
 *
 * @example
 * const registry = staticRegistry({ greeter: ["10.0.0.1:50051", { host: "10.0.0.2", port: 50051, weight: 2 }] });
 * @throws TypeError or RangeError if an address is malformed, or one service names an id twice.
 */
export function staticRegistry(services: Readonly<Record<string, readonly StaticAddress[]>>): Registry {
  return new StaticRegistry(services);
}

class StaticRegistry implements Registry {
  readonly #hub = new SnapshotHub();

  constructor(services: Readonly<Record<string, readonly StaticAddress[]>>) {
    for (const [service, addresses] of Object.entries(services)) {
      const views = addresses.map((address) => createView(service, address));
      const ids = new Set<string>();
      for (const { id } of views) {
        if (ids.has(id)) throw new TypeError(`Cannot create a static registry: "${service}" names "${id}" twice`);
        ids.add(id);
      }
      this.#hub.publish(service, views);
    }
  }

  async register(registration: Registration): Promise<Lease> {
    throw new Error(`Cannot register "${registration.id}": a static registry is read-only`);
  }

  watch(service: string, options?: WatchOptions): AsyncIterable<Snapshot> {
    assertService(service);
    return this.#hub.watch(service, options);
  }

  async list(service: string): Promise<Snapshot> {
    assertService(service);
    this.#hub.assertOpen(`list service "${service}"`);
    return this.#hub.current(service) as Snapshot; // a static registry always knows
  }

  async close(): Promise<void> {
    this.#hub.close();
  }
}

function createView(service: string, address: StaticAddress): InstanceView {
  const given: StaticInstance = typeof address === "string" ? parseAddress(address) : address;
  const id = given.id ?? (given.port === 0 ? given.host : joinHostPort(given.host, given.port));
  return Object.freeze({ ...createInstance({ ...given, id, service }, 1), state: "up" });
}
