/**
 * What a handler wants changed, to happen together with its reply being kept. The changes are collected and made at the end
 * in one synchronous transaction. A transaction begun before the handler would be open while the handler waits for
 * anything, and a process that is frozen or killed then holds up every other.
 */
export class UnitOfWork {
  readonly #changes: (() => void)[] = [];

  /** `change` is called inside the transaction; when it throws, nothing has happened. */
  add(change: () => void): void {
    this.#changes.push(change);
  }

  /** Makes the changes, in order. */
  apply(): void {
    for (const change of this.#changes) change();
  }
}
