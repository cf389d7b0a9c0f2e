import { builtin } from "./builtin.ts";

/**
 * Splits `host:port`, `[v6]:port` or `unix:/path` (which keeps its whole text as host, with port 0).
 *
 * @throws TypeError that shows the text.
 */
export function parseAddress(text: string): { host: string; port: number } {
  if (text.startsWith("unix:") && text.length > "unix:".length) return { host: text, port: 0 };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new TypeError(`Cannot parse address ${JSON.stringify(text)}: expected host:port, [v6]:port or unix:/path`);
  }
  return { host: (match[1] ?? match[2]) as string, port };
}

/** The inverse of {@link parseAddress} for hosts with ports: brackets IPv6. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** 4 or 6 for an IP address of that version, 0 for anything else. */
export function ipVersion(host: string): number {
  return builtin("node:net").isIP(host);
}
