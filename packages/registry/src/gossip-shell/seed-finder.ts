import { ipVersion, joinHostPort, parseAddress } from "../address.ts";
import type { Clock } from "../clock.ts";

/** While nobody is known, names are asked often: the first member may be starting right now. */
const lonelyPeriodMs = 2_000;
/** Later only a healed partition or a moved cluster needs new seeds. */
const joinedPeriodMs = 60_000;
/** Seed addresses handed to the core. One that answers is enough. */
const maxSeeds = 256;

/** Where to find members: `host:port` texts (names are resolved to all their addresses), or a function that says so. */
export type Seeds = readonly string[] | (() => readonly string[] | Promise<readonly string[]>);

/** What {@link SeedFinder} takes. */
export interface SeedFinderOptions {
  readonly seeds: Seeds;
  /** All IP addresses of a host name. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Whether any other member is known. */
  readonly isJoined: () => boolean;
  /** `host:port` with IP addresses, without double ones. */
  readonly onSeeds: (seeds: readonly string[]) => void;
  /** Some seed could not be resolved; the others count. Told once, until it could be. */
  readonly onFailed: (seed: string, error: unknown) => void;
}

/** Turns seeds into addresses, again and again: a name may move, and a cluster may have to be found anew. */
export class SeedFinder {
  readonly #options: SeedFinderOptions;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;
  readonly #failing = new Set<string>();

  constructor(options: SeedFinderOptions) {
    this.#options = options;
  }

  /** Resolves once and goes on. The promise never rejects. */
  async start(): Promise<void> {
    const { clock, isJoined, onSeeds } = this.#options;
    const found = await this.#find();
    if (this.#stopped) return;
    if (found.length > 0) onSeeds(found);
    if (!this.#isFixed()) {
      const periodMs = isJoined() ? joinedPeriodMs : lonelyPeriodMs;
      this.#cancelTimer = clock.after(periodMs, () => void this.start());
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  async #find(): Promise<string[]> {
    const { seeds } = this.#options;
    let texts: readonly string[];
    try {
      texts = typeof seeds === "function" ? await seeds() : seeds;
    } catch (error) {
      this.#fail("seeds()", error);
      return [];
    }
    for (const seed of this.#failing) if (!texts.includes(seed)) this.#failing.delete(seed);
    const found = new Set<string>();
    const resolved = await Promise.all(texts.slice(0, maxSeeds).map((text) => this.#resolve(text)));
    for (const address of resolved.flat()) if (found.size < maxSeeds) found.add(address);
    return [...found];
  }

  async #resolve(text: string): Promise<string[]> {
    try {
      const { host, port } = parseAddress(text);
      if (ipVersion(host) !== 0) return [joinHostPort(host, port)];
      const found = await this.#options.lookup(host);
      this.#failing.delete(text);
      return found.map((address) => joinHostPort(address, port));
    } catch (error) {
      this.#fail(text, error);
      return [];
    }
  }

  #fail(seed: string, error: unknown): void {
    if (this.#failing.has(seed) || this.#stopped) return;
    this.#failing.add(seed);
    this.#options.onFailed(seed, error);
  }

  #isFixed(): boolean {
    const { seeds } = this.#options;
    return typeof seeds !== "function" && seeds.every((text) => ipVersion(parseAddress(text).host) !== 0);
  }
}

/** @throws TypeError that shows the text of a seed that is no `host:port`. */
export function assertSeeds(seeds: Seeds): void {
  if (typeof seeds === "function") return;
  for (const seed of seeds) {
    if (parseAddress(seed).port === 0) throw new TypeError(`Cannot join through "${seed}": expected host:port`);
  }
}
