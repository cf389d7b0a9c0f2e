/** Tells who waits that something changed: one waits for it, the other says so. */
export class ChangeSignal {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next change, when `signal` fires, or after `atMostMs`, whichever comes first. */
  wait(atMostMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, signal?.aborted === true ? 0 : atMostMs);
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  changed(): void {
    for (const wake of this.#waiting) wake();
  }
}
