import type { Endpoint, Outcome, Random } from "./contract.ts";
import { defaultNow, defaultRandom } from "./defaults.ts";
import { levels, Slot } from "./slot.ts";

/** Where time and randomness come from. */
export interface PoolOptions {
  /** Milliseconds on a monotonic scale. Default: the platform's. */
  readonly now?: (() => number) | undefined;
  /** Default: the platform's generator. */
  readonly random?: Random | undefined;
}

/** Endpoints and what is known of them. Survives updates, and may be shared by several balancers. */
export interface Pool<E extends Endpoint = Endpoint> {
  /** As {@link Balancer.update}: every balancer on this pool sees the change at once. */
  update(endpoints: readonly E[]): void;
}

/** The pool as policies see it. */
export class PoolCore<E extends Endpoint> implements Pool<E> {
  readonly now: () => number;
  readonly random: Random;
  /** In the order of the latest update. */
  slots: readonly Slot<E>[] = [];
  /** Rises when any slot's level, weight or zone changes, or the set of slots does: selectors must be rebuilt. */
  version = 0;
  /** Rises only when the set, weights, zones or keys change: what hashing policies build their tables from. */
  membership = 0;
  #byId = new Map<string, Slot<E>>();

  constructor(options: PoolOptions = {}) {
    this.now = options.now ?? defaultNow;
    this.random = options.random ?? defaultRandom;
  }

  update(endpoints: readonly E[]): void {
    const before = this.#byId;
    const after = new Map<string, Slot<E>>();
    for (const endpoint of endpoints) {
      assertWeight(endpoint);
      if (after.has(endpoint.id)) {
        throw new RangeError(`Cannot update endpoints: id "${endpoint.id}" appears twice, expected unique ids`);
      }
      const known = before.get(endpoint.id);
      const stays = known !== undefined && known.endpoint.generation === endpoint.generation;
      after.set(endpoint.id, stays ? known : new Slot(this, endpoint));
    }
    // Nothing throws from here on.
    const slots: Slot<E>[] = [];
    let moved = before.size !== after.size;
    let changed = false;
    for (const endpoint of endpoints) {
      const slot = after.get(endpoint.id);
      if (slot === undefined) continue;
      moved ||= slot !== this.slots[slots.length] || differs(slot, endpoint);
      changed ||= slot.state !== stateOf(endpoint);
      adopt(slot, endpoint);
      slots.push(slot);
    }
    for (const [id, slot] of before) if (after.get(id) !== slot) slot.level = levels.out;
    this.slots = slots;
    this.#byId = after;
    if (!moved && !changed) return;
    if (moved) this.membership += 1;
    this.#setLevels();
  }

  /** A pick ended. */
  settle(slot: Slot<E>, outcome: Outcome): void {
    if (slot.inFlight > 0) slot.inFlight -= 1;
    if (outcome.result === "ok") slot.failureStreak = 0;
    if (outcome.result === "failed") slot.failureStreak += 1;
  }

  #setLevels(): void {
    for (const slot of this.slots) {
      const { state } = slot;
      slot.level = state === "draining" || slot.weight === 0 ? levels.out : levels[state];
    }
    this.version += 1;
  }
}

function assertWeight({ id, weight }: Endpoint): void {
  if (weight === undefined || (Number.isFinite(weight) && weight >= 0)) return;
  throw new RangeError(`Cannot update endpoints: weight of "${id}" is ${weight}, expected a finite number ≥ 0`);
}

function stateOf(endpoint: Endpoint): NonNullable<Endpoint["state"]> {
  return endpoint.state ?? "up";
}

function differs<E extends Endpoint>(slot: Slot<E>, endpoint: E): boolean {
  return slot.weight !== (endpoint.weight ?? 1) || slot.zone !== (endpoint.zone ?? "") || slot.key !== keyOf(endpoint);
}

function keyOf(endpoint: Endpoint): string {
  return endpoint.hashKey ?? endpoint.id;
}

function adopt<E extends Endpoint>(slot: Slot<E>, endpoint: E): void {
  slot.endpoint = endpoint;
  slot.key = keyOf(endpoint);
  slot.weight = endpoint.weight ?? 1;
  slot.zone = endpoint.zone ?? "";
  slot.state = stateOf(endpoint);
}
