export type { Clock, TimerOptions } from "./clock.ts";
export { systemClock } from "./system-clock.ts";
export { type Random, uniform } from "./random.ts";
export { systemRandom } from "./system-random.ts";
export type {
  ByteConnectOptions,
  ByteListener,
  ByteStream,
  ByteStreamHandler,
  ByteTransport,
  ListenAddress,
  PeerCertificate,
  StreamPeer,
} from "./byte-stream.ts";
