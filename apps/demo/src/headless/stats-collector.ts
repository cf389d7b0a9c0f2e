import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient, type PipitClient } from "pipit";
import { Process, type ProcessStats } from "../contracts/index.ts";
import type { InstanceWatch } from "./instance-watch.ts";

/** Asking a dozen processes twice a second is not felt. */
const pollMs = 500;

interface Line {
  readonly client: PipitClient;
  readonly process: Client<typeof Process>;
}

/**
 * Asks every process how it fares, again and again, at its own address. What a process counted before it was killed counts: the
 * latest word of each life is kept.
 */
export class StatsCollector {
  readonly #watch: InstanceWatch;
  readonly #signal: AbortSignal;
  readonly #lines = new Map<string, Line>();
  readonly #latest = new Map<string, ProcessStats>();
  readonly #ended: Promise<void>;

  constructor(watch: InstanceWatch, signal: AbortSignal) {
    this.#watch = watch;
    this.#signal = signal;
    this.#ended = this.#run();
  }

  /** The latest word of every life of every instance, in order of their names. */
  get all(): readonly ProcessStats[] {
    return [...this.#latest.values()].sort((a, b) => a.id.localeCompare(b.id));
  }

  /** Asks all of them now. */
  async ask(): Promise<void> {
    await Promise.all(
      this.#watch.instances.map(async ({ address }) => {
        const line = this.#lines.get(address) ?? this.#open(address);
        try {
          const stats = await line.process.stats({});
          this.#latest.set(`${stats.id} ${stats.pid}`, stats);
        } catch {
          // It is frozen or gone. What it said last stands.
        }
      }),
    );
  }

  /** Calls something of one process, at its own address. */
  at(id: string): Client<typeof Process> | undefined {
    const address = this.#watch.instances.find((each) => each.id === id)?.address;
    return address === undefined ? undefined : (this.#lines.get(address) ?? this.#open(address)).process;
  }

  async end(): Promise<void> {
    await this.#ended;
    await Promise.all([...this.#lines.values()].map(({ client }) => client.close({ graceMs: 0 })));
  }

  #open(address: string): Line {
    const client = createClient({ target: address });
    const line = { client, process: client.service(Process) };
    this.#lines.set(address, line);
    return line;
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.ask();
      await sleep(pollMs, undefined, { signal: this.#signal }).catch(() => {});
    }
  }
}
