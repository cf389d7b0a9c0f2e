export type { Clock, TimerOptions } from "./clock.ts";
export { systemClock } from "./system-clock.ts";
export { type Random, uniform } from "./random.ts";
export { systemRandom } from "./system-random.ts";
export type { Compression, CompressionAlgorithm } from "./compression.ts";
export { systemCompression } from "./system-compression.ts";
export type {
  ByteConnectOptions,
  ByteListenOptions,
  ByteListener,
  ByteStream,
  ByteStreamHandler,
  ByteTransport,
  ListenAddress,
  PeerCertificate,
  StreamPeer,
} from "./byte-stream.ts";
export { Code, codeFromNumber, codeToNumber, isCode } from "./code.ts";
export { type DeclaredError, type Handled, isRpcError, RpcError, type RpcErrorOptions } from "./rpc-error.ts";
export { maxMetadataBytes, Metadata, type MetadataInit } from "./metadata.ts";
export type { AttemptRecord, CallDecision, CallRecord, NoRetryReason } from "./call-record.ts";
export {
  type AnyValue,
  type Awaitable,
  type Bidi,
  bidi,
  type CallOf,
  type Client,
  type ClientStream,
  clientStream,
  type Errors,
  type ErrorsOf,
  type Handler,
  type Idempotency,
  type Implementation,
  type Items,
  type MessageSource,
  type Method,
  type MethodDef,
  type MethodKind,
  type MethodMaker,
  type MethodOptions,
  type Methods,
  type Oneway,
  oneway,
  type OnewayMaker,
  type ServerStream,
  serverStream,
  type Service,
  service,
  type Unary,
  unary,
} from "./contract.ts";
export type { CallEnd, CallOptions, Criticality } from "./call-options.ts";
export {
  type CallContext,
  type CallDependent,
  contextEnabled,
  currentContext,
  enableContext,
  type RetryPurse,
  runInContext,
} from "./call-context.ts";
export type { Context, DeclaredErrorOptions, Peer } from "./context.ts";
export type {
  Interceptor,
  InterceptorReply,
  InterceptorRequest,
  Next,
  StreamInterceptorReply,
  StreamInterceptorRequest,
  UnaryInterceptorReply,
  UnaryInterceptorRequest,
} from "./interceptor.ts";
export { type Channel, channel, type ChannelOptions } from "./channel.ts";
export type {
  CallAcceptor,
  CallSource,
  CallFailure,
  ClientConnection,
  ConnectionHandler,
  ConnectOptions,
  EndOptions,
  IncomingCall,
  IncomingHandler,
  Listener,
  ListenOptions,
  LoadReport,
  OutgoingCall,
  OutgoingStream,
  ServerIdentity,
  Transport,
} from "./transport.ts";
export { DeadlineWheel, type DeadlineWheelOptions, type WheelEntry, type WheelSlot } from "./deadline-wheel.ts";
export { ItemStream, type ItemStreamOwner } from "./item-stream.ts";
export { defaultLimits, type SessionLimits } from "./session/limits.ts";
export { streamsInput, streamsOutput } from "./session/call-shape.ts";
export { decodeMessageBytes, encodeMessage, type MessagePart } from "./message-bytes.ts";
export { createTransport, type TransportOptions } from "./create-transport.ts";
