import type { InstanceView, Snapshot, WatchOptions } from "./registry.ts";

/** Iterators open at once in one registry. A process that needs more has a leak: watch once and share. */
export const defaultMaxWatchers = 100_000;

/** What {@link SnapshotHub} takes. */
export interface SnapshotHubOptions {
  /** Open iterators before `watch` refuses. Default 100,000. */
  readonly maxWatchers?: number | undefined;
  /** Called when the first iterator of a service opens, and again after the last one closed. */
  readonly onWatched?: ((service: string, watched: boolean) => void) | undefined;
  /**
   * Whether a service that was never published is known to be empty. If not, its watchers wait for the first
   * publication, or for {@link SnapshotHub.learn}. Default true.
   */
  readonly emptyIsKnown?: boolean | undefined;
}

interface Topic {
  snapshot: Snapshot | undefined;
  readonly watchers: Set<Watcher>;
}

/**
 * The half of every registry that readers see: one current snapshot per service, and the iterators that follow it.
 *
 * A watcher holds no snapshot of its own, only the revision it has seen, so a slow reader costs nothing and always gets
 * the newest. Revisions come from one counter for all services, so a service that was forgotten and comes back still
 * rises. `publish` never calls back into its caller: readers run in later microtasks.
 */
export class SnapshotHub {
  readonly #topics = new Map<string, Topic>();
  readonly #maxWatchers: number;
  readonly #onWatched: ((service: string, watched: boolean) => void) | undefined;
  #emptyIsKnown: boolean;
  #revision = 0;
  #watcherCount = 0;
  #closed = false;

  constructor(options: SnapshotHubOptions = {}) {
    this.#maxWatchers = options.maxWatchers ?? defaultMaxWatchers;
    this.#onWatched = options.onWatched;
    this.#emptyIsKnown = options.emptyIsKnown ?? true;
  }

  /** Whether {@link SnapshotHub.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Makes `instances` the current state of `service`. The hub takes the array over, sorts it by id and freezes it. The
   * very same instances again are no change.
   */
  publish(service: string, instances: InstanceView[]): void {
    if (this.#closed) return;
    let topic = this.#topics.get(service);
    instances.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    if (topic?.snapshot !== undefined && isSame(topic.snapshot.instances, instances)) return;
    const snapshot = createSnapshot(++this.#revision, instances);
    if (topic === undefined) {
      if (instances.length === 0 && this.#emptyIsKnown) return; // nobody to tell, nothing to remember
      topic = { snapshot, watchers: new Set() };
      this.#topics.set(service, topic);
    }
    topic.snapshot = snapshot;
    for (const watcher of topic.watchers) watcher.wake(snapshot);
    this.#forgetIfIdle(service, topic);
  }

  /** From now on what was never published is empty; its waiting watchers learn so. */
  learn(): void {
    this.#emptyIsKnown = true;
    for (const [service, topic] of this.#topics) if (topic.snapshot === undefined) this.publish(service, []);
  }

  /** Drops what is known about a service without telling its watchers; for sources whose knowledge ends unwatched. */
  forget(service: string): void {
    const topic = this.#topics.get(service);
    if (topic !== undefined && topic.watchers.size === 0) this.#topics.delete(service);
  }

  /** The current snapshot; `undefined` where nothing is known yet. */
  current(service: string): Snapshot | undefined {
    const known = this.#topics.get(service)?.snapshot;
    return known ?? (this.#emptyIsKnown ? createSnapshot(this.#revision, []) : undefined);
  }

  /** See `Registry.watch`. */
  watch(service: string, options: WatchOptions = {}): AsyncIterable<Snapshot> {
    this.assertOpen(`watch service "${service}"`);
    return { [Symbol.asyncIterator]: () => new Watcher(this.#port(service), options.signal) };
  }

  /** @throws Error that names the attempted action if the hub is closed. */
  assertOpen(action: string): void {
    if (this.#closed) throw new Error(`Cannot ${action}: the registry is closed`);
  }

  /** Ends all iterators. Twice is fine. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const topic of this.#topics.values()) for (const watcher of topic.watchers) watcher.end();
    this.#topics.clear();
  }

  #port(service: string): WatchPort {
    return {
      open: (watcher) => {
        if (this.#closed) return false;
        if (this.#watcherCount >= this.#maxWatchers) {
          throw new Error(`Cannot watch service "${service}": ${this.#watcherCount} watchers are open, the limit`);
        }
        let topic = this.#topics.get(service);
        if (topic === undefined) {
          // Pinned here, so that changes elsewhere do not make this emptiness look newer.
          topic = { snapshot: this.current(service), watchers: new Set() };
          this.#topics.set(service, topic);
        }
        topic.watchers.add(watcher);
        this.#watcherCount += 1;
        if (topic.watchers.size === 1) this.#onWatched?.(service, true);
        return true;
      },
      close: (watcher) => {
        const topic = this.#topics.get(service);
        if (topic === undefined || !topic.watchers.delete(watcher)) return;
        this.#watcherCount -= 1;
        if (topic.watchers.size > 0) return;
        if (!this.#closed) this.#onWatched?.(service, false);
        this.#forgetIfIdle(service, topic);
      },
      current: () => this.current(service),
    };
  }

  #forgetIfIdle(service: string, topic: Topic): void {
    if (topic.watchers.size > 0) return;
    if (topic.snapshot === undefined || (this.#emptyIsKnown && topic.snapshot.instances.length === 0)) {
      this.#topics.delete(service);
    }
  }
}

/** What a watcher may do with its hub. */
interface WatchPort {
  open(watcher: Watcher): boolean;
  close(watcher: Watcher): void;
  current(): Snapshot | undefined;
}

type WatcherState = "new" | "open" | "ended";

class Watcher implements AsyncIterator<Snapshot, undefined> {
  readonly #port: WatchPort;
  readonly #signal: AbortSignal | undefined;
  #state: WatcherState = "new";
  #seenRevision = -1;
  #waiting: ((result: IteratorResult<Snapshot, undefined>) => void) | undefined;

  constructor(port: WatchPort, signal: AbortSignal | undefined) {
    this.#port = port;
    this.#signal = signal;
  }

  /** Not an async function: its promise around ours would cost three turns more, for each reader at each change. */
  next(): Promise<IteratorResult<Snapshot, undefined>> {
    return new Promise((resolve) => {
      if (this.#state === "new") this.#open();
      if (this.#state === "ended") return resolve(done);
      if (this.#waiting !== undefined) {
        throw new Error("Cannot ask for the next snapshot: the previous next() has not settled yet");
      }
      const current = this.#port.current();
      if (current === undefined || current.revision <= this.#seenRevision) {
        this.#waiting = resolve;
        return;
      }
      this.#seenRevision = current.revision;
      resolve({ done: false, value: current });
    });
  }

  async return(): Promise<IteratorResult<Snapshot, undefined>> {
    this.end();
    return done;
  }

  wake(snapshot: Snapshot): void {
    const resolve = this.#waiting;
    if (resolve === undefined) return;
    this.#waiting = undefined;
    this.#seenRevision = snapshot.revision;
    resolve({ done: false, value: snapshot });
  }

  readonly end = (): void => {
    if (this.#state === "open") {
      this.#signal?.removeEventListener("abort", this.end);
      this.#port.close(this);
    }
    this.#state = "ended";
    this.#waiting?.(done);
    this.#waiting = undefined;
  };

  #open(): void {
    if (this.#signal?.aborted === true || !this.#port.open(this)) {
      this.#state = "ended";
      return;
    }
    this.#state = "open";
    this.#signal?.addEventListener("abort", this.end, { once: true });
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

function createSnapshot(revision: number, instances: InstanceView[]): Snapshot {
  return Object.freeze({ revision, instances: Object.freeze(instances) });
}

function isSame(before: readonly InstanceView[], after: readonly InstanceView[]): boolean {
  return before.length === after.length && before.every((instance, index) => instance === after[index]);
}
