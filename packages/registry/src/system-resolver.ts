import { builtin } from "./builtin.ts";
import type { DnsResolver } from "./dns-lookup.ts";

/** Per try and server; the second try doubles it. A name server in the same network answers in a few milliseconds. */
const timeoutMs = 1_000;
const tries = 2;

/** The machine's own resolver (c-ares with the servers of `/etc/resolv.conf`): the default of `dnsRegistry`. */
export function systemResolver(): DnsResolver {
  const { Resolver } = builtin("node:dns").promises;
  return new Resolver({ timeout: timeoutMs, tries });
}
