export { tcp, type TcpOptions, tcpStreams } from "./tcp.ts";
export type { Pem, PemSource, TlsErrorEvent, TlsIdentity, TlsOptions } from "./tls-options.ts";
