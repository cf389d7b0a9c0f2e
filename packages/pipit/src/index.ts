// Schemas: what travels.
export {
  any,
  array,
  bool,
  bytes,
  type Codec,
  CodecError,
  date,
  enumeration,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  type Infer,
  type InferInput,
  int,
  isCodecError,
  lazy,
  map,
  nullable,
  optional,
  record,
  set,
  string,
  struct,
  tuple,
  typedArray,
  u8,
  u16,
  u32,
  u64,
  uint,
  union,
  uuid,
} from "@pipit/codec";

// Contracts: what can be called.
export {
  type Awaitable,
  type Bidi,
  bidi,
  type Client,
  type ClientStream,
  clientStream,
  type Handler,
  type Idempotency,
  type Implementation,
  type Items,
  type Method,
  type MethodOptions,
  type Oneway,
  oneway,
  type ServerStream,
  serverStream,
  type Service,
  service,
  type Unary,
  unary,
} from "@pipit/protocol";

// Calls: what both sides see of one.
export {
  type AttemptRecord,
  type CallContext,
  type CallEnd,
  type CallOptions,
  type CallRecord,
  type Channel,
  channel,
  type ChannelOptions,
  Code,
  type Context,
  type Criticality,
  currentContext,
  type Handled,
  type Interceptor,
  type InterceptorReply,
  type InterceptorRequest,
  isRpcError,
  Metadata,
  type MetadataInit,
  type Next,
  type Peer,
  RpcError,
  type RpcErrorOptions,
} from "@pipit/protocol";

// Servers.
export {
  createServer,
  type HandlerFailure,
  type Server,
  type ServerAddress,
  type ServerListenOptions,
  type ServerOptions,
  type ServerStats,
} from "@pipit/server";

// Clients.
export {
  type ClientOptions,
  type ClientStats,
  type ConnectionOptions,
  createClient,
  type Credentials,
  type PipitClient,
  type RetryOptions,
  type Target,
} from "@pipit/client";

// Where and how.
export { tcp, type TcpOptions, type TlsOptions } from "@pipit/transport-tcp";
export {
  dnsRegistry,
  type DnsRegistryOptions,
  gossipRegistry,
  type GossipRegistry,
  type GossipRegistryOptions,
  type Instance,
  type Lease,
  memoryRegistry,
  type Registry,
  type Snapshot,
  staticRegistry,
} from "@pipit/registry";
export type { Clock, Random, Transport } from "@pipit/protocol";
