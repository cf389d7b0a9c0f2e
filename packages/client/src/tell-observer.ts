import type { CallEnd, CallOptions } from "@pipit/protocol";

/** What an observer throws must not change its call, nor the connection that reports to it. */
export function tellObserver(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/** Tells a caller that asked for it how its call ended. */
export function tellOnEnd(options: CallOptions | undefined, end: CallEnd): void {
  if (options?.onEnd !== undefined) tellObserver(() => options.onEnd?.(end));
}
