import type { CloseOptions, Server } from "./create-server.ts";

/** Signals that ask a process to end. */
type Signal = "SIGTERM" | "SIGINT";

/** Options of {@link shutdownOnSignals}. */
export interface ShutdownOptions extends CloseOptions {
  /** Default SIGTERM and SIGINT. */
  readonly signals?: readonly Signal[] | undefined;
  /** Called when the server has closed: close what else is open. The process ends by itself once nothing is. */
  readonly onClosed?: (() => void | Promise<void>) | undefined;
}

/**
 * Closes the server gracefully on SIGTERM and SIGINT. A second signal takes effect as if nobody listened: it ends the process.
 *
 * @returns a function that stops listening
 */
export function shutdownOnSignals(server: Server, options: ShutdownOptions = {}): () => void {
  const { signals = ["SIGTERM", "SIGINT"], onClosed, graceMs } = options;
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, close);
  };
  const close = (): void => {
    stop();
    server.close({ graceMs }).then(onClosed, (error: unknown) => {
      process.stderr.write(`The server could not close: ${String(error)}\n`);
      process.exitCode = 1;
    });
  };
  for (const signal of signals) process.on(signal, close);
  return stop;
}
