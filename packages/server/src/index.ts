// For users.
export {
  type CloseOptions,
  createServer,
  type Server,
  type ServerAddress,
  type ServerStats,
} from "./create-server.ts";
export type { Authorize, HandlerFailure, ServerListenOptions, ServerOptions } from "./options.ts";
