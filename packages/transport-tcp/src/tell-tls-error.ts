import type { TlsErrorEvent, TlsOptions } from "./tls-options.ts";

/** Tells of what ended no stream. What the listener throws must end none either. */
export function tellTlsError({ onTlsError }: TlsOptions, event: TlsErrorEvent): void {
  if (onTlsError === undefined) {
    const text = "The TLS certificate could not be loaded again; the earlier one stays";
    if (event.type === "reload") process.emitWarning(`${text}: ${event.error.message}`);
    return;
  }
  try {
    onTlsError(event);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
