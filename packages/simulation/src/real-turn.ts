/**
 * The one file of this package that touches the real event loop. It tells no time: it only says when everything that the
 * current turn set going has settled.
 */

/** Calls `fn` in a turn of its own, after all promise continuations and `soon` callbacks that are due. */
export function nextTurn(fn: () => void): void {
  setImmediate(fn);
}

/** Calls `fn` at the end of the current turn. */
export function endOfTurn(fn: () => void): void {
  process.nextTick(fn);
}

/** Resolves once the current turn is over: all promise continuations and `soon` callbacks that are due have run. */
export function turnOver(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
