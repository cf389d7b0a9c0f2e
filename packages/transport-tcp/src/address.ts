import { RpcError } from "@pipit/protocol";
import { builtin } from "./builtin.ts";

const highestPort = 65_535;

/** A parsed address: a TCP endpoint or the path of a Unix socket. */
export type TcpAddress =
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string };

/**
 * Reads `host:port`, `[v6]:port` or `unix:/path`.
 *
 * @throws RpcError `invalid_argument` that shows the address and says what was wanted
 */
export function parseAddress(address: string): TcpAddress {
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    if (path === "") throw malformed(address, "a path after unix:");
    return { type: "unix", path };
  }
  const colon = address.lastIndexOf(":");
  if (colon <= 0) throw malformed(address, "host:port, [v6]:port or unix:/path");
  const port = parsePort(address, address.slice(colon + 1));
  const host = address.slice(0, colon);
  if (/[\s/@]/u.test(host)) throw malformed(address, "a host name or IP address, without a scheme, user or path");
  if (host.startsWith("[") && host.endsWith("]")) {
    const inner = host.slice(1, -1);
    if (!builtin("node:net").isIPv6(inner)) throw malformed(address, "an IPv6 address between the brackets");
    return { type: "tcp", host: inner, port };
  }
  if (host.includes(":")) throw malformed(address, "brackets around an IPv6 address, as in [::1]:50051");
  return { type: "tcp", host, port };
}

/** Writes a host and port as an address: `host:port`, or `[v6]:port`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv4 address that a dual-stack socket shows as `::ffff:1.2.3.4`, as IPv4; any other as it is. */
export function plainIp(ip: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/iu.test(ip) ? ip.slice("::ffff:".length) : ip;
}

/** Whether the IP address is of this machine's loopback: 127.0.0.0/8 or ::1. */
export function isLoopback(ip: string): boolean {
  const plain = plainIp(ip);
  return plain === "::1" || plain.startsWith("127.");
}

function parsePort(address: string, text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (port < 1 || port > highestPort)
    throw malformed(address, `a port between 1 and ${highestPort} after the last colon`);
  return port;
}

function malformed(address: string, wanted: string): RpcError {
  return new RpcError("invalid_argument", `Address ${JSON.stringify(address)}: expected ${wanted}`, { handled: "no" });
}
