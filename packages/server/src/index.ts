// For users.
export {
  type CloseOptions,
  createServer,
  type Server,
  type ServerAddress,
  type ServerStats,
} from "./create-server.ts";
export { Health, type HealthReply, type MethodDescription, Reflection, type ServiceDescription } from "./built-in.ts";
export { memoryReplyStore, type MemoryReplyStoreOptions } from "./memory-reply-store.ts";
export { shutdownOnSignals, type ShutdownOptions } from "./shutdown-on-signals.ts";
export type { Authorize, HandlerFailure, ServerListenOptions, ServerOptions } from "./options.ts";

// For authors of reply stores and observers.
export type { ServerCallFinish, ServerCallStart } from "./diagnostics.ts";
export type { ReplyClaim, ReplyClaimRequest, ReplyStore, StoredReply } from "./reply-store.ts";
