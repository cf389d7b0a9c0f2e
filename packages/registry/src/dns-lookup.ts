import { ipVersion, joinHostPort, parseAddress } from "./address.ts";
import type { Clock } from "./clock.ts";
import { type DnsCell, type DnsOutcome, emptyDnsCell, nextDnsCell } from "./dns-cell.ts";

/** Targets of one SRV name that are looked up; more are dropped. Each costs two questions. */
const maxSrvTargets = 128;

/** An A or AAAA record. */
export interface AddressRecord {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  /** Seconds for which the answer may be kept. */
  readonly ttl: number;
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  /** Target host name. */
  readonly name: string;
  /** TCP port. */
  readonly port: number;
  /** Lower is preferred. */
  readonly priority: number;
  /** Share of traffic among equal priorities. */
  readonly weight: number;
}

/**
 * The three questions that are asked. `Resolver` of `node:dns/promises` fits as it is.
 *
 * A rejection with `code` `ENOTFOUND` or `ENODATA` says that the name or record does not exist; any other rejection says
 * that nobody knows.
 */
export interface DnsResolver {
  /** A records. */
  resolve4(name: string, options: { ttl: true }): Promise<readonly AddressRecord[]>;
  /** AAAA records. */
  resolve6(name: string, options: { ttl: true }): Promise<readonly AddressRecord[]>;
  /** SRV records. */
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
}

/** What to ask for a service. */
export type DnsQuestion =
  | { readonly type: "srv"; readonly name: string }
  | { readonly type: "host"; readonly name: string; readonly port: number };

/** One address that a service was found at. */
export interface DnsEndpoint {
  /** `ip:port`, IPv6 in brackets. */
  readonly id: string;
  /** IP address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** SRV weight, where 0 counts as 1; else 1. */
  readonly weight: number;
  /** The host name that the address was found under: what a certificate names. */
  readonly name: string;
}

/** What one round of questions showed. */
export interface DnsRound {
  /** Sorted by id; `undefined` while too little is known to say anything. */
  readonly endpoints: readonly DnsEndpoint[] | undefined;
  /** The shortest time to live among the answers; `undefined` where none said. */
  readonly ttlMs: number | undefined;
  /** Questions that failed, with their errors. */
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
  /** Whether something shown is kept in spite of a failure or a denial, so that asking again soon is worth it. */
  readonly unsure: boolean;
}

/** `_service._proto.name` asks SRV; `host:port` asks A and AAAA. */
export function parseDnsQuestion(text: string): DnsQuestion {
  if (text.startsWith("_")) return { type: "srv", name: text };
  const { host, port } = parseAddress(text);
  if (port === 0) throw new TypeError(`Cannot look up ${JSON.stringify(text)}: expected host:port or an SRV name`);
  return { type: "host", name: host, port };
}

/**
 * Asks one service's questions again and again, and remembers per question what was last known.
 *
 * For SRV only the lowest priority number that has any address is used.
 */
export class DnsLookup {
  readonly #question: DnsQuestion;
  readonly #resolver: DnsResolver;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #srv: DnsCell<SrvRecord> = emptyDnsCell;
  #addresses = new Map<string, DnsCell<AddressRecord>>();

  /** @param options `timeoutMs` bounds each question; a later answer to it is dropped. */
  constructor(question: DnsQuestion, options: { resolver: DnsResolver; clock: Clock; timeoutMs: number }) {
    this.#question = question;
    this.#resolver = options.resolver;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Asks everything once. Never rejects, and takes at most two timeouts. One run at a time. */
  async run(): Promise<DnsRound> {
    const round = new Round();
    const targets = await this.#targets(round);
    if (targets === undefined) return round.finish(undefined, false);
    const names = new Set(targets.map(({ name }) => name));
    for (const key of this.#addresses.keys()) if (!names.has(key.slice(2))) this.#addresses.delete(key);
    await Promise.all([...names].flatMap((name) => [this.#ask("4", name, round), this.#ask("6", name, round)]));
    const cells = [this.#srv, ...this.#addresses.values()];
    const denied = cells.some(({ records, negativeCount }) => negativeCount > 0 && records?.length !== 0);
    return round.finish(this.#endpoints(targets), denied);
  }

  async #targets(round: Round): Promise<readonly SrvRecord[] | undefined> {
    const question = this.#question;
    if (question.type === "host") return [{ name: question.name, port: question.port, priority: 0, weight: 1 }];
    const outcome = await this.#settle(question.name, async () => this.#resolver.resolveSrv(question.name));
    round.note(question.name, outcome);
    this.#srv = nextDnsCell(this.#srv, outcome);
    // A single "." says: decidedly not here (RFC 2782).
    return this.#srv.records?.filter(({ name }) => name !== "" && name !== ".").slice(0, maxSrvTargets);
  }

  async #ask(family: "4" | "6", name: string, round: Round): Promise<void> {
    const outcome = ipVersion(name) === 0 ? await this.#resolve(family, name) : literal(family, name);
    round.note(name, outcome);
    const key = `${family} ${name}`;
    this.#addresses.set(key, nextDnsCell(this.#addresses.get(key) ?? emptyDnsCell, outcome));
  }

  #resolve(family: "4" | "6", name: string): Promise<DnsOutcome<AddressRecord>> {
    const resolver = this.#resolver;
    return this.#settle(name, async () =>
      family === "4" ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }),
    );
  }

  async #settle<T extends object>(name: string, ask: () => Promise<readonly T[]>): Promise<DnsOutcome<T>> {
    let cancel: (() => void) | undefined;
    const timeout = new Promise<DnsOutcome<T>>((resolve) => {
      cancel = this.#clock.after(this.#timeoutMs, () => {
        resolve({ type: "failure", error: new Error(`No answer about "${name}" within ${this.#timeoutMs} ms`) });
      });
    });
    const outcome = await Promise.race([outcomeOf(ask), timeout]);
    cancel?.();
    return outcome;
  }

  #endpoints(targets: readonly SrvRecord[]): DnsEndpoint[] | undefined {
    let unknown = false;
    const byPriority = [...targets].sort((a, b) => a.priority - b.priority);
    const found = new Map<string, DnsEndpoint>();
    let priority: number | undefined;
    for (const target of byPriority) {
      if (found.size > 0 && target.priority !== priority) break;
      priority = target.priority;
      for (const family of ["4", "6"]) {
        const records = this.#addresses.get(`${family} ${target.name}`)?.records;
        if (records === undefined) unknown = true;
        for (const { address } of records ?? []) {
          const id = joinHostPort(address, target.port);
          const weight = Math.max(1, target.weight);
          if (!found.has(id)) found.set(id, { id, host: address, port: target.port, weight, name: target.name });
        }
      }
    }
    if (found.size === 0 && unknown) return undefined;
    return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

class Round {
  readonly #failures: { name: string; error: unknown }[] = [];
  #ttlMs: number | undefined;

  note(name: string, outcome: DnsOutcome<unknown>): void {
    if (outcome.type === "failure") this.#failures.push({ name, error: outcome.error });
    if (outcome.type === "answer" && outcome.ttlMs !== undefined) {
      this.#ttlMs = Math.min(this.#ttlMs ?? Number.POSITIVE_INFINITY, outcome.ttlMs);
    }
  }

  finish(endpoints: readonly DnsEndpoint[] | undefined, denied: boolean): DnsRound {
    const failures = this.#failures;
    return { endpoints, ttlMs: this.#ttlMs, failures, unsure: denied || failures.length > 0 };
  }
}

async function outcomeOf<T extends object>(ask: () => Promise<readonly T[]>): Promise<DnsOutcome<T>> {
  try {
    const records = await ask();
    if (records.length === 0) return { type: "negative" };
    let ttlMs: number | undefined;
    for (const record of records) {
      if ("ttl" in record && typeof record.ttl === "number") {
        ttlMs = Math.min(ttlMs ?? Number.POSITIVE_INFINITY, record.ttl * 1000);
      }
    }
    return { type: "answer", records, ttlMs };
  } catch (error) {
    return isDenial(error) ? { type: "negative" } : { type: "failure", error };
  }
}

/** c-ares codes: NXDOMAIN is ENOTFOUND, a name without the asked type is ENODATA. */
function isDenial(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === "ENOTFOUND" || code === "ENODATA";
}

function literal(family: "4" | "6", address: string): DnsOutcome<AddressRecord> {
  if (ipVersion(address) !== Number(family)) return { type: "negative" };
  return { type: "answer", records: [{ address, ttl: 0 }], ttlMs: undefined };
}
