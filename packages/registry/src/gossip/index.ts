export { createGossipCore } from "./core.ts";
export { type GossipConfig, type GossipTiming, DEFAULT_TIMING } from "./config.ts";
export type {
  GossipCore,
  GossipEffects,
  GossipEvent,
  GossipRandom,
  GossipStats,
  MemberState,
  MemberView,
  OwnedRecord,
  RecordChange,
  StreamFailure,
} from "./types.ts";
export { AEAD_TAG_BYTES, type Aead, type PacketKey } from "./aead.ts";
export { nodeAead } from "./node-aead.ts";
