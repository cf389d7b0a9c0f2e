/** What each seed of each goal measured, kept in a file, so that hours of simulation may be run in pieces. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Samples } from "../test/gossip/goals/goal.ts";

interface Entry {
  readonly samples: Samples;
  readonly cpuSeconds: number;
}

export class SeedBook {
  readonly #file: string | undefined;
  readonly #entries: Record<string, Entry>;

  /** Without a file nothing is kept. */
  constructor(file: string | undefined) {
    this.#file = file;
    this.#entries =
      file !== undefined && existsSync(file)
        ? (JSON.parse(readFileSync(file, "utf8"), (_key, value) => (value === "Infinity" ? Infinity : value)) as Record<
            string,
            Entry
          >)
        : {};
  }

  /** What the book holds under this name, else what `measure` finds, noted. */
  samplesOf(name: string, measure: () => Samples): Entry {
    const held = this.#entries[name];
    if (held !== undefined) return held;
    const cpu = process.cpuUsage();
    const samples = measure();
    const entry = { samples, cpuSeconds: process.cpuUsage(cpu).user / 1e6 };
    this.#entries[name] = entry;
    if (this.#file !== undefined)
      writeFileSync(
        this.#file,
        JSON.stringify(this.#entries, (_key, value: unknown) => (value === Infinity ? "Infinity" : value)),
      );
    return entry;
  }

  /** The seeds noted for a goal. */
  has(name: string): boolean {
    return this.#entries[name] !== undefined;
  }
}
