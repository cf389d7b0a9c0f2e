/** Who ends when a signal fires. */
export interface SignalListener {
  onSignal(reason: unknown): void;
}

interface Watched extends EventListenerObject {
  readonly listeners: Set<SignalListener>;
}

/** What `addEventListener` takes beside a function. */
interface EventListenerObject {
  handleEvent(): void;
}

/**
 * One listener on each `AbortSignal`, however many calls it belongs to: a list of listeners is slow to change, and Node warns of a
 * leak at eleven.
 */
export class SignalHub {
  readonly #watched = new WeakMap<AbortSignal, Watched>();

  add(signal: AbortSignal, listener: SignalListener): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      const listeners = new Set<SignalListener>();
      watched = {
        listeners,
        handleEvent() {
          const fired = [...listeners];
          listeners.clear();
          for (const each of fired) each.onSignal(signal.reason);
        },
      };
      this.#watched.set(signal, watched);
    }
    if (watched.listeners.size === 0) signal.addEventListener("abort", watched);
    watched.listeners.add(listener);
  }

  remove(signal: AbortSignal, listener: SignalListener): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined || !watched.listeners.delete(listener)) return;
    if (watched.listeners.size === 0) signal.removeEventListener("abort", watched);
  }
}

/** The one of the process: a signal's listeners are its own, whichever client they belong to. */
export const signals: SignalHub = new SignalHub();
