import type { Registry } from "@pipit/registry";

/** What a client is made for: an address, a list of them, or a registry in which each service's name is looked up. */
export type Target = string | readonly string[] | { readonly registry: Registry };

/** A target whose form has been checked. */
export type ParsedTarget =
  | { readonly type: "addresses"; readonly addresses: readonly string[]; readonly text: string }
  | { readonly type: "registry"; readonly registry: Registry; readonly text: string };

/** `host:port`, `[v6]:port` or `unix:/path`. */
const addressPattern = /^(?:unix:.+|\[[0-9a-fA-F:.%]+\]:\d{1,5}|[^\s:[\]/]+:\d{1,5})$/;

/** @throws TypeError that shows the target and says what was wanted */
export function parseTarget(target: Target): ParsedTarget {
  if (typeof target === "string") return { type: "addresses", addresses: [checked(target)], text: target };
  if (Array.isArray(target)) {
    const addresses = [...new Set((target as readonly string[]).map(checked))];
    if (addresses.length === 0) throw new TypeError("Client target: expected at least one address, got an empty list");
    return { type: "addresses", addresses, text: addresses.join(",") };
  }
  const registry = (target as { readonly registry?: Registry } | undefined)?.registry;
  if (typeof registry?.watch !== "function") {
    throw new TypeError(`Client target: expected "host:port", a list of them, or { registry }, got ${typeof target}`);
  }
  return { type: "registry", registry, text: "registry" };
}

/** `host:port`, with brackets around an IPv6 host; whole addresses such as `unix:/path` stay. */
export function addressOf(host: string, port: number): string {
  if (host.startsWith("unix:")) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function checked(address: string): string {
  const port = Number(/:(\d+)$/.exec(address)?.[1] ?? 0);
  if (typeof address !== "string" || !addressPattern.test(address) || port > 65_535) {
    throw new TypeError(
      `Client target ${JSON.stringify(address)}: expected "host:port", "[v6]:port" or "unix:/path", such as "127.0.0.1:50051"`,
    );
  }
  return address;
}
