// For users.
export { type DnsEvent, type DnsRegistryOptions, dnsRegistry } from "./dns-registry.ts";
export { gossipRegistry } from "./gossip-registry.ts";
export type {
  GossipRegistry,
  GossipRegistryEvent,
  GossipRegistryOptions,
  GossipRegistryStats,
} from "./gossip-options.ts";
export { type MemoryRegistryOptions, memoryRegistry } from "./memory-registry.ts";
export { type StaticAddress, type StaticInstance, staticRegistry } from "./static-registry.ts";
export type {
  Evidence,
  Instance,
  InstanceState,
  InstanceUpdate,
  InstanceView,
  Lease,
  Registration,
  Registry,
  Snapshot,
  WatchOptions,
} from "./registry.ts";

// For authors of registries and simulations.
export type { Clock } from "./clock.ts";
export type { EmptyProtectionOptions } from "./empty-protection.ts";
export type {
  GossipEvent,
  GossipRandom,
  GossipStats,
  GossipTiming,
  MemberState,
  MemberView,
  RecordChange,
} from "./gossip/index.ts";
export type { Seeds } from "./gossip-shell/seed-finder.ts";
export type { AddressRecord, DnsResolver, SrvRecord } from "./dns-lookup.ts";
