import type { Registry } from "pipit";
import { Process } from "../contracts/index.ts";

/** An instance as the registry shows it now. */
export interface SeenInstance {
  readonly id: string;
  readonly address: string;
  readonly state: string;
}

/** All instances of the demo as this process sees them by gossip. */
export class InstanceWatch {
  #seen: readonly SeenInstance[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;

  constructor(registry: Registry, signal: AbortSignal) {
    this.#ended = this.#follow(registry, signal);
  }

  get instances(): readonly SeenInstance[] {
    return this.#seen;
  }

  /** Resolves once `holds` does for the instance, undefined for one that is gone; false when `timeoutMs` is over first. */
  async until(id: string, holds: (seen: SeenInstance | undefined) => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    while (!holds(this.#seen.find((each) => each.id === id))) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
      });
    }
    return true;
  }

  /** Resolves when it has stopped watching. */
  async end(): Promise<void> {
    await this.#ended;
  }

  async #follow(registry: Registry, signal: AbortSignal): Promise<void> {
    for await (const { instances } of registry.watch(Process.name, { signal })) {
      this.#seen = instances.map(({ id, host, port, state }) => ({ id, address: `${host}:${port}`, state }));
      for (const wake of this.#waiting) wake();
    }
  }
}
