import type { System } from "./system.ts";

/** Everything that is measured, by the name used on the command line. Loaded one at a time: an import costs memory. */
export const systems: Readonly<Record<string, () => Promise<System>>> = {
  limit: async () => (await import("./limit.ts")).limit,
  pipit: async () => (await import("./pipit.ts")).pipit,
  "pipit-tls": async () => (await import("./pipit.ts")).pipitTls,
  msgpackr: async () => (await import("./msgpackr-tcp.ts")).msgpackrTcp,
  moleculer: async () => (await import("./moleculer.ts")).moleculer,
  rsocket: async () => (await import("./rsocket.ts")).rsocket,
  thrift: async () => (await import("./thrift.ts")).apacheThrift,
  fastify: async () => (await import("./fastify-undici.ts")).fastifyUndici,
  grpc: async () => (await import("./grpc-js.ts")).grpcJs,
  connect: async () => (await import("./connect.ts")).connect,
};
