/** Version, trace id, parent id and flags in lower-case hexadecimal digits, none of the ids all zeros. */
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/u;

/**
 * Whether a caller's trace context is one (W3C Trace Context, section 3.2.2). A later version may say more behind what version 00 says.
 * One that is malformed counts as none: a new trace begins, and nobody is told.
 */
export function isTraceparent(text: string): boolean {
  const [, version, more] = form.exec(text) ?? [];
  return version !== undefined && (more === undefined || version !== "00");
}
