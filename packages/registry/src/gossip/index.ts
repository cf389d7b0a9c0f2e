export { createGossipCore } from "./core.ts";
export type { GossipConfig, GossipTiming } from "./config.ts";
export type {
  GossipCore,
  GossipEvent,
  GossipRandom,
  GossipStats,
  MemberState,
  MemberView,
  RecordChange,
} from "./types.ts";
export type { Aead } from "./aead.ts";
export { nodeAead } from "./node-aead.ts";
