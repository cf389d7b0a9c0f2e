import { updateInstance } from "./instance.ts";
import type { Instance, InstanceUpdate, Lease } from "./registry.ts";

/** What a lease stands for. The registry that made it swaps the fields. */
export interface LeaseEntry {
  instance: Instance;
  draining: boolean;
}

/** How a lease reaches its registry. Both must be synchronous, so that `using` has released when its block ends. */
export interface LeasePort {
  /** Makes `entry` what `next` says and shows it, or throws and leaves it. */
  change(entry: LeaseEntry, next: Readonly<LeaseEntry>, action: "update" | "drain"): void;
  /** Removes the entry. Never throws; does nothing when it is gone or was replaced. */
  remove(entry: LeaseEntry): void;
}

/** A {@link Lease} on `entry`. */
export function createLease(entry: LeaseEntry, port: LeasePort): Lease {
  return {
    get instance() {
      return entry.instance;
    },
    update: async (change: InstanceUpdate) =>
      port.change(entry, { instance: updateInstance(entry.instance, change), draining: entry.draining }, "update"),
    drain: async () => port.change(entry, { instance: entry.instance, draining: true }, "drain"),
    release: async () => port.remove(entry),
    [Symbol.dispose]: () => port.remove(entry),
    [Symbol.asyncDispose]: async () => port.remove(entry),
  };
}

/** The error of a lease that no longer holds. `current` is what is registered under its service and id now. */
export function lostLeaseError(entry: LeaseEntry, action: string, current: LeaseEntry | undefined): Error {
  const { service, id, generation } = entry.instance;
  const why = current === undefined ? "its lease was released" : `generation ${generation} was replaced by a newer`;
  return new Error(`Cannot ${action} "${id}" of "${service}": ${why}`);
}

/** @throws Error if `instance` is not newer than what is registered under its service and id. */
export function assertNewer(instance: Instance, known: LeaseEntry | undefined): void {
  if (known === undefined || known.instance.generation < instance.generation) return;
  throw new Error(
    `Cannot register "${instance.id}" for "${instance.service}" with generation ${instance.generation}: ` +
      `it is registered with generation ${known.instance.generation}; expected a newer one`,
  );
}
