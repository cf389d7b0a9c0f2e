/**
 * Every parameter of the protocol, with its default and, where it follows from others, its formula as a named function.
 */
import type { Aead } from "./aead.ts";

/** What later versions may append to a member. With the longest names it still leaves half a datagram for what rides with it. */
export const MAX_EXTRA_BYTES = 256;
/** Largest record that is read, as `recordBytes` counts. What a member writes may be limited to less. */
export const MAX_RECORD_BYTES = 1_024;

/** A claim far in the future would shut its subject out for ever. */
export const MAX_GENERATION: number = 2 ** 48 - 1;

/** What a node is told about itself and the cluster. */
export interface GossipConfig {
  /** Name of this member, unique in the cluster: 1 to 64 printable ASCII characters. */
  readonly id: string;
  /** `host:port` under which others reach this node's gossip socket. */
  readonly address: string;
  /** Which life of this id this is: boot time in ms since 1970, or any number that rises with each start. < 2^48. */
  readonly generation: number;
  /** Nodes of other clusters are ignored, with an event. Default "pipit". */
  readonly cluster?: string | undefined;
  /** `host:port` of members to join through. They are retried for ever at a low rate. */
  readonly seeds?: readonly string[] | undefined;
  /** False: an observer, which is not probed, owns no records and is not known to anybody. Default true. */
  readonly member?: boolean | undefined;
  /** Cluster keys of 32 bytes; the first seals, all open. Absent: nothing is sealed. Needs `aead`. */
  readonly keys?: readonly Uint8Array[] | undefined;
  readonly aead?: Aead | undefined;
  /** Changes to the defaults below. */
  readonly timing?: Partial<GossipTiming> | undefined;
}

/** Times, counts and limits. Cluster members should agree on them, but nothing breaks when they do not. */
export interface GossipTiming {
  /** One member is probed each period. Halved against memberlist: detection is nearly linear in it, 4 packets/s are cheap. */
  probePeriodMs: number;
  /** A ping unanswered for this long is tried by helpers and by stream. Above any sane LAN or zone round trip. */
  ackTimeoutMs: number;
  /** A probe with no answer by any way after this long has failed. Time for a lost stream segment to be sent again (200 ms, and once more). */
  probeTimeoutMs: number;
  /** On a network seen to lose datagrams a failed probe is repeated once before it becomes an accusation. */
  retryWhenLossy: boolean;
  /** Helpers of an indirect probe. */
  indirectCount: number;
  /** Shortest suspicion = this × max(1, log10 N) × probePeriodMs. Half of memberlist's 4: a suspicion that ends is confirmed first. */
  suspicionMult: number;
  /** Longest suspicion (nobody else has accused) = this × the shortest. */
  suspicionMaxFactor: number;
  /** Independent accusers, after the first, that bring the suspicion to its shortest. */
  suspicionConfirmations: number;
  /** Members that only heard of a suspicion wait this much longer than the accusers: these confirm, those are the reserve. */
  witnessGraceMs: number;
  /** False kills when suspicion ends, as SWIM does. Only for control experiments. */
  confirmBeforeKill: boolean;
  /** Peers asked before a kill. */
  confirmPeers: number;
  /** Wait for their answers; each pings the subject meanwhile. */
  confirmTimeoutMs: number;
  /** With too few answers, others are asked, this many times in all. */
  confirmRounds: number;
  /** A subject whose kernel accepts streams while its process is silent is frozen: no verdict before this long. */
  frozenTimeoutMs: number;
  /** Refused streams count after a ping stayed unanswered for this long. */
  refusedWaitMs: number;
  /** False: stream pings are not used. Only for control experiments. */
  streamPing: boolean;
  /** False: the local health score stays 0. Only for control experiments. */
  localHealth: boolean;
  /** Highest local health score; timeouts and the period are multiplied by score + 1. */
  localHealthMax: number;
  /** Pause between gossip rounds while there is news. With no news there are no rounds. */
  gossipIntervalMs: number;
  /** Members told per round. */
  gossipFanout: number;
  /** Each piece of news is sent this × ceil(log10(N + 1)) times by each member. */
  retransmitMult: number;
  /** Views that differ are reconciled once both have been quiet for this many gossip rounds. */
  syncQuietRounds: number;
  /** … or when no peer has agreed for this long, quiet or not. */
  syncDisagreeMs: number;
  /** Least time between two exchanges of one node. */
  syncIntervalMs: number;
  /** False: exchange whole views all the time, whether they differ or not. Only for control experiments. */
  syncGate: boolean;
  /** One dead member or seed is tried at this period, for ever. */
  reconnectPeriodMs: number;
  /** While nobody is known, seeds are tried at this period. */
  joinRetryMs: number;
  /** Period at which an observer asks a member for news. */
  observePeriodMs: number;
  /** Dead members are remembered this long, so that late news of their life is recognised as old. Longer than any partition to survive. */
  deadTtlMs: number;
  /** The same for members that left, and for deleted records. */
  leftTtlMs: number;
  /** Least time between two probes of one member by hint. */
  reportIntervalMs: number;
  /** False: keep no streams open to the next members on the ring. Only for control experiments. */
  ringWatch: boolean;
  /** Who is next on the ring is looked up at this period. */
  ringPeriodMs: number;
  /** A stream to one that is next on the ring is used at least this often, so that neither end takes it for idle. */
  ringTouchMs: number;
  /** No datagram is ever larger: fragments multiply loss. */
  maxDatagramBytes: number;
  /** Largest stream message accepted. */
  maxStreamBytes: number;
  /** Largest record, key and head included, encoded. */
  maxRecordBytes: number;
  /** News of at most this many bytes per owner rides in datagrams; more is fetched by stream. */
  maxInlineBytes: number;
  /** Records one member may own. */
  maxRecords: number;
  /** Members remembered, tombstones included; past it the oldest tombstone is forgotten, and no new member is taken. */
  maxMembers: number;
}

/** Defaults. `docs/membership.md` says why each is what it is. */
export const DEFAULT_TIMING: Readonly<GossipTiming> = {
  probePeriodMs: 500,
  ackTimeoutMs: 200,
  probeTimeoutMs: 800,
  retryWhenLossy: true,
  indirectCount: 3,
  suspicionMult: 2,
  suspicionMaxFactor: 3,
  suspicionConfirmations: 2,
  witnessGraceMs: 2_400,
  confirmBeforeKill: true,
  confirmPeers: 3,
  confirmTimeoutMs: 500,
  confirmRounds: 3,
  frozenTimeoutMs: 10_000,
  refusedWaitMs: 100,
  streamPing: true,
  localHealth: true,
  localHealthMax: 8,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  retransmitMult: 4,
  syncQuietRounds: 2,
  syncDisagreeMs: 5_000,
  syncIntervalMs: 1_000,
  syncGate: true,
  reconnectPeriodMs: 10_000,
  joinRetryMs: 1_000,
  observePeriodMs: 1_000,
  deadTtlMs: 24 * 3_600_000,
  leftTtlMs: 3_600_000,
  reportIntervalMs: 1_000,
  ringWatch: true,
  ringPeriodMs: 5_000,
  ringTouchMs: 30_000,
  maxDatagramBytes: 1_200,
  maxStreamBytes: 1 << 20,
  maxRecordBytes: MAX_RECORD_BYTES,
  maxInlineBytes: 1_040,
  maxRecords: 4_096,
  maxMembers: 32_768,
};

/** log10 rounded to 4 digits, so that every engine schedules the same millisecond. */
export function roundedLog10(n: number): number {
  return Math.round(Math.log10(n) * 1e4) / 1e4;
}

/** Shortest suspicion of a cluster of `n`: mult × max(1, log10 n) × period. */
export function suspicionMinMs(timing: GossipTiming, n: number): number {
  return Math.round(timing.suspicionMult * Math.max(1, roundedLog10(Math.max(n, 1))) * timing.probePeriodMs);
}

/**
 * Lifeguard's suspicion time after `confirmations` further accusers: max − (max − min) · ln(c + 1) / ln(k + 1), never below min.
 * In clusters too small for k further accusers it is min from the start (memberlist `suspicion.go`).
 */
export function suspicionTimeoutMs(timing: GossipTiming, n: number, confirmations: number): number {
  const min = suspicionMinMs(timing, n);
  const k = timing.suspicionConfirmations;
  if (k <= 0 || n - 2 < k || confirmations >= k) return min;
  const max = min * timing.suspicionMaxFactor;
  const share = Math.round((Math.log(confirmations + 1) / Math.log(k + 1)) * 1e4) / 1e4;
  return Math.max(min, Math.round(max - (max - min) * share));
}

/** How often each member sends one piece of news: mult × ceil(log10(n + 1)). */
export function retransmitLimit(timing: GossipTiming, n: number): number {
  return timing.retransmitMult * Math.max(1, Math.ceil(roundedLog10(n + 1)));
}

/** Buckets of an exchange: a power of two near n / 8, between 16 and 1,024, so that one difference costs about 8 entries. */
export function bucketCount(n: number): number {
  let buckets = 16;
  while (buckets < 1_024 && buckets * 8 < n) buckets *= 2;
  return buckets;
}

/** Checks the configuration. @throws RangeError or TypeError that names the field, its value and what was wanted. */
export function resolveTiming(config: GossipConfig): Readonly<GossipTiming> {
  checkName("id", config.id, 64);
  checkName("address", config.address, 255);
  checkName("cluster", config.cluster ?? "pipit", 64);
  if (!Number.isSafeInteger(config.generation) || config.generation < 0 || config.generation >= 2 ** 48)
    throw new RangeError(`Gossip config: generation is ${config.generation}, wanted an integer in [0, 2^48)`);
  if (config.keys !== undefined) checkKeys(config.keys);
  if (config.keys !== undefined && config.aead === undefined)
    throw new TypeError("Gossip config: keys are given but no aead to use them with");
  if (config.timing === undefined) return DEFAULT_TIMING;
  const timing: GossipTiming = { ...DEFAULT_TIMING, ...config.timing };
  for (const [name, value] of Object.entries(timing)) {
    if (typeof value === "number" && !(value >= 0))
      throw new RangeError(`Gossip config: timing.${name} is ${value}, wanted a number of at least 0`);
  }
  if (timing.maxDatagramBytes < 1_200)
    throw new RangeError(`Gossip config: timing.maxDatagramBytes is ${timing.maxDatagramBytes}, wanted at least 1200`);
  if (timing.maxRecordBytes > MAX_RECORD_BYTES)
    throw new RangeError(
      `Gossip config: timing.maxRecordBytes is ${timing.maxRecordBytes}, wanted at most ${MAX_RECORD_BYTES}`,
    );
  return timing;
}

/** @throws RangeError unless every key has 32 bytes and there are 1 to 8 of them. */
export function checkKeys(keys: readonly Uint8Array[]): void {
  if (keys.length < 1 || keys.length > 8)
    throw new RangeError(`Gossip config: ${keys.length} keys given, wanted 1 to 8`);
  for (const key of keys)
    if (key.length !== 32) throw new RangeError(`Gossip config: a key has ${key.length} bytes, wanted 32`);
}

/** @throws RangeError unless `value` is 1 to `max` printable ASCII characters. */
export function checkName(field: string, value: string, max: number): void {
  if (value.length < 1 || value.length > max || !/^[\x20-\x7e]*$/.test(value))
    throw new RangeError(
      `Gossip config: ${field} is ${JSON.stringify(value)}, wanted 1 to ${max} printable ASCII characters`,
    );
}
