import type { DnsResolver, SrvRecord } from "../src/dns-lookup.ts";

/** A zone in memory. A string is an error code, an absent entry is NXDOMAIN, "hang" never answers. */
export interface FakeResolver extends DnsResolver {
  /** A records by name. */
  readonly v4: Map<string, readonly string[] | string>;
  /** AAAA records by name. */
  readonly v6: Map<string, readonly string[] | string>;
  /** SRV records by name. */
  readonly srv: Map<string, readonly SrvRecord[] | string>;
  /** Seconds in every A and AAAA answer. */
  ttl: number;
  /** Questions asked so far. */
  readonly asked: string[];
}

const errors = new Map<string, Error>();

/** One error per code: a model asks a million times, and stacks are dear. */
function errorOf(code: string): Error {
  let error = errors.get(code);
  if (error === undefined) {
    error = Object.assign(new Error(`query ${code}`), { code });
    errors.set(code, error);
  }
  return error;
}

/** An empty zone. */
export function fakeResolver(): FakeResolver {
  const answer = async <T>(records: readonly T[] | string = "ENOTFOUND"): Promise<readonly T[]> => {
    if (records === "hang") return new Promise(() => {});
    if (typeof records === "string") throw errorOf(records);
    return records;
  };
  const addresses = (records: readonly string[] | string | undefined, ttl: number) =>
    answer(typeof records === "object" ? records.map((address) => ({ address, ttl })) : records);
  const resolver: FakeResolver = {
    v4: new Map(),
    v6: new Map(),
    srv: new Map(),
    ttl: 10,
    asked: [],
    resolve4(name) {
      resolver.asked.push(`A ${name}`);
      return addresses(resolver.v4.get(name), resolver.ttl);
    },
    resolve6(name) {
      resolver.asked.push(`AAAA ${name}`);
      return addresses(resolver.v6.get(name), resolver.ttl);
    },
    resolveSrv(name) {
      resolver.asked.push(`SRV ${name}`);
      return answer(resolver.srv.get(name));
    },
  };
  return resolver;
}
