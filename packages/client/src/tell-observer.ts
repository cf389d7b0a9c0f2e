/** What an observer throws must not change its call, nor the connection that reports to it. */
export function tellObserver(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
