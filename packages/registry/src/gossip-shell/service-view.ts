import { EmptyProtection, type EmptyProtectionOptions } from "../empty-protection.ts";
import type { MemberState, RecordChange } from "../gossip/types.ts";
import type { InstanceState, InstanceView } from "../registry.ts";
import { decodeInstance, type InstanceRecord } from "./instance-record.ts";

interface Entry {
  readonly owner: string;
  readonly record: InstanceRecord;
  /** The object last shown, given out again while its state is the same. */
  shown: InstanceView | undefined;
}

/**
 * What gossip says about members and records, turned into instances by service.
 *
 * Pure: events and times go in, and {@link ServiceView.takeChanged} tells which services may look different. Where two
 * members announce one instance, a live one hides a stale one, then the newer generation the older.
 */
export class ServiceView {
  readonly #services = new Map<string, EmptyProtection<Entry>>();
  readonly #expiring = new Set<string>();
  readonly #servicesByOwner = new Map<string, Map<string, string>>(); // owner → key → service
  readonly #suspects = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #protection: EmptyProtectionOptions;
  #sightLost = false;

  constructor(protection: EmptyProtectionOptions = {}) {
    this.#protection = protection;
  }

  /** A record appeared or changed. @throws InstanceRecordError if it is not one of ours; nothing changed then. */
  put(owner: string, ownerGeneration: number, key: string, value: Uint8Array, nowMs: number): void {
    const record = decodeInstance(key, value, ownerGeneration);
    const { service } = record.instance;
    let protection = this.#services.get(service);
    if (protection === undefined) {
      protection = new EmptyProtection(this.#protection);
      this.#services.set(service, protection);
    }
    protection.put(entryId(owner, key), { owner, record, shown: undefined }, record.draining, nowMs);
    let keys = this.#servicesByOwner.get(owner);
    if (keys === undefined) {
      keys = new Map();
      this.#servicesByOwner.set(owner, keys);
    }
    keys.set(key, service);
    this.#touch(service, protection);
  }

  /** A record went, and how. */
  remove(owner: string, key: string, change: Exclude<RecordChange, "put">, nowMs: number): void {
    const keys = this.#servicesByOwner.get(owner);
    // A record that failed earlier may be withdrawn later, when its owner is heard again.
    const service = keys?.get(key) ?? serviceOf(key);
    const protection = service === undefined ? undefined : this.#services.get(service);
    if (service === undefined || protection === undefined) return;
    keys?.delete(key);
    if (keys?.size === 0) this.#servicesByOwner.delete(owner);
    const id = entryId(owner, key);
    if (change === "failed") protection.fail(id, nowMs);
    else protection.leave(id, nowMs);
    this.#touch(service, protection);
  }

  /** A member changed state. */
  member(owner: string, state: MemberState): void {
    const suspect = state === "suspect";
    if (this.#suspects.has(owner) === suspect) return;
    if (suspect) this.#suspects.add(owner);
    else this.#suspects.delete(owner);
    for (const service of this.#servicesByOwner.get(owner)?.values() ?? []) this.#changed.add(service);
  }

  /** From now on everything is shown as stale: nothing more will be heard. */
  loseSight(): void {
    this.#sightLost = true;
    for (const service of this.#services.keys()) this.#changed.add(service);
  }

  /** Drops stale instances whose time is over. */
  expire(nowMs: number): void {
    for (const service of this.#expiring) {
      const protection = this.#services.get(service);
      if (protection?.expire(nowMs) === true) this.#changed.add(service);
      if (protection !== undefined) this.#settle(service, protection);
    }
  }

  /** When {@link ServiceView.expire} next has something to do; `undefined` for never. */
  get nextExpiryMs(): number | undefined {
    let firstMs: number | undefined;
    for (const service of this.#expiring) {
      const atMs = this.#services.get(service)?.nextExpiryMs;
      if (atMs !== undefined && (firstMs === undefined || atMs < firstMs)) firstMs = atMs;
    }
    return firstMs;
  }

  /** The services that changed since the last call. */
  takeChanged(): string[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** All instances of a service, one per instance id, in no order. */
  instances(service: string): InstanceView[] {
    const found = new Map<string, InstanceView>();
    const protection = this.#services.get(service);
    for (const [, entry] of protection?.stale() ?? []) keepNewest(found, show(entry, "stale"));
    for (const [, entry] of protection?.live() ?? []) keepNewest(found, show(entry, this.#stateOf(entry)));
    return [...found.values()];
  }

  /** Members that announce an instance of this id, under any service. */
  ownersOf(instanceId: string): string[] {
    const suffix = `/${encodeURIComponent(instanceId)}`;
    const owners: string[] = [];
    for (const [owner, keys] of this.#servicesByOwner) {
      for (const key of keys.keys()) {
        if (!key.endsWith(suffix)) continue;
        owners.push(owner);
        break;
      }
    }
    return owners;
  }

  #stateOf({ owner, record }: Entry): InstanceState {
    if (this.#sightLost) return "stale";
    if (record.draining) return "draining";
    return this.#suspects.has(owner) ? "suspect" : "up";
  }

  #touch(service: string, protection: EmptyProtection<Entry>): void {
    this.#changed.add(service);
    this.#settle(service, protection);
  }

  #settle(service: string, protection: EmptyProtection<Entry>): void {
    if (protection.nextExpiryMs === undefined) this.#expiring.delete(service);
    else this.#expiring.add(service);
    if (protection.idle) this.#services.delete(service);
  }
}

function show(entry: Entry, state: InstanceState): InstanceView {
  if (entry.shown?.state !== state) entry.shown = Object.freeze({ ...entry.record.instance, state });
  return entry.shown;
}

function keepNewest(found: Map<string, InstanceView>, view: InstanceView): void {
  const known = found.get(view.id);
  if (known === undefined || known.state === "stale" || known.generation <= view.generation) found.set(view.id, view);
}

/** Neither part holds a line feed: keys and member ids are printable ASCII. */
function entryId(owner: string, key: string): string {
  return `${owner}\n${key}`;
}

function serviceOf(key: string): string | undefined {
  const slash = key.indexOf("/");
  try {
    return slash < 0 ? undefined : decodeURIComponent(key.slice(0, slash));
  } catch {
    return undefined;
  }
}
