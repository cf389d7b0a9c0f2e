import type { GossipCore, MemberView } from "../gossip/types.ts";
import { createInstance } from "../instance.ts";
import { assertNewer, createLease, type LeaseEntry, type LeasePort, lostLeaseError } from "../lease.ts";
import type { Lease, Registration } from "../registry.ts";
import { encodeInstance, instanceKey } from "./instance-record.ts";

/** What {@link OwnInstances} takes. */
export interface OwnInstancesOptions {
  /** Generation of a first registration that names none. */
  readonly generation: number;
  /** Throws when the registry is closed; `action` begins its text: `drain "a"`. */
  readonly assertOpen: (action: string) => void;
  /** Calls the core, when there is one. */
  readonly run: (use: (core: GossipCore, nowMs: number) => unknown) => void;
}

/** What this member itself serves: a record in the core for each, and a lease for whoever registered it. */
export class OwnInstances {
  readonly #options: OwnInstancesOptions;
  readonly #entries = new Map<string, LeaseEntry>(); // by record key
  #winner: MemberView | undefined;
  readonly #leasePort: LeasePort = {
    change: (entry, next, action) => this.#change(entry, next, action),
    remove: (entry) => this.#remove(entry),
  };

  constructor(options: OwnInstancesOptions) {
    this.#options = options;
  }

  /** @throws TypeError or RangeError if a field is malformed. */
  check(registration: Registration): void {
    const { service, id } = createInstance(registration, this.#options.generation);
    instanceKey(service, id);
  }

  /** @throws as `Registry.register`. */
  register(registration: Registration): Lease {
    const key = instanceKey(registration.service, registration.id);
    const known = this.#entries.get(key);
    const generation = known === undefined ? this.#options.generation : known.instance.generation + 1;
    const instance = createInstance(registration, generation);
    assertNewer(instance, known);
    const entry: LeaseEntry = { instance, draining: false };
    this.#announce(key, entry);
    this.#entries.set(key, entry);
    return createLease(entry, this.#leasePort);
  }

  /** Another process owns this member's id: nothing can be announced any more. */
  lose(winner: MemberView): void {
    this.#winner = winner;
  }

  /** Whether {@link OwnInstances.lose} was called. */
  get lost(): boolean {
    return this.#winner !== undefined;
  }

  #announce(key: string, entry: Readonly<LeaseEntry>): void {
    if (this.#winner !== undefined) {
      const { id, address } = this.#winner;
      throw new Error(`Cannot announce "${entry.instance.id}": ${address} is member "${id}" too, and has won`);
    }
    this.#options.run((core, nowMs) => core.put(key, encodeInstance(entry), nowMs));
  }

  #change(entry: LeaseEntry, next: Readonly<LeaseEntry>, action: string): void {
    const { service, id } = entry.instance;
    this.#options.assertOpen(`${action} "${id}"`);
    const key = instanceKey(service, id);
    const current = this.#entries.get(key);
    if (current !== entry) throw lostLeaseError(entry, action, current);
    this.#announce(key, next);
    Object.assign(entry, next);
  }

  #remove(entry: LeaseEntry): void {
    const key = instanceKey(entry.instance.service, entry.instance.id);
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#options.run((core, nowMs) => core.remove(key, nowMs));
  }
}
