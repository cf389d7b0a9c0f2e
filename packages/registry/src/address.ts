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

/**
 * Splits `ip:port` or `[ipv6]:port`; `undefined` for anything that no socket could be pointed at: a name, no port, port 0. For
 * addresses that strangers wrote, where a throw, or a name looked up, would be theirs to cause.
 */
export function parseIpPort(text: string): { host: string; port: number } | undefined {
  const colon = text.lastIndexOf(":");
  const host = text.startsWith("[") && text[colon - 1] === "]" ? text.slice(1, colon - 1) : text.slice(0, colon);
  const port = Number(text.slice(colon + 1));
  if (!Number.isInteger(port) || port < 1 || port > 65_535 || ipVersion(host) === 0) return undefined;
  return { host, port };
}

/** The inverse of {@link parseAddress} for hosts with ports: brackets IPv6. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** 4 or 6 for an IP address of that version, 0 for anything else. */
export function ipVersion(host: string): number {
  return builtin("node:net").isIP(host);
}
