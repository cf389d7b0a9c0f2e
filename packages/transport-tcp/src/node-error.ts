import { type Code, RpcError } from "@pipit/protocol";

/*
 * The one place where codes of the platform meet codes of Pipit. Errors are known by their `code`, never by their text.
 */

/** What a platform code means, as the end of "Cannot connect to <address>: …" or "The connection to <address> failed: …". */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused: nobody listens there",
  ECONNRESET: "the peer reset the connection",
  ECONNABORTED: "the connection was aborted",
  EPIPE: "the peer closed the connection while bytes were on their way to it",
  ETIMEDOUT: "the peer did not answer in time",
  EHOSTUNREACH: "the host is unreachable",
  EHOSTDOWN: "the host is down",
  ENETUNREACH: "the network is unreachable",
  ENETDOWN: "the network is down",
  EADDRNOTAVAIL: "no local address and port is free for it",
  ENOTFOUND: "no such host name",
  EAI_AGAIN: "the name server did not answer",
  EAI_NODATA: "the host name has no address",
  EAI_NONAME: "no such host name",
  EMFILE: "this process has too many files open",
  ENFILE: "this machine has too many files open",
  ENOBUFS: "the system is out of network buffers",
  ENOENT: "there is no socket at that path",
  ENOTSOCK: "what is at that path is no socket",
  EACCES: "this process may not do that",
  EPERM: "this process may not do that",
  // TLS: what either end may meet. Names are of OpenSSL and Node.
  ERR_SSL_WRONG_VERSION_NUMBER: "the peer does not speak TLS; connect without the tls option, or to its TLS port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the peer does not speak TLS; connect without the tls option, or to its TLS port",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    "the peer does not speak TLS on this port (connect without the tls option), or no TLS version that is allowed here",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the peer offers no TLS version that is allowed here",
  ERR_SSL_NO_SHARED_CIPHER: "the two ends have no TLS cipher in common",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "the peer ended the TLS handshake: it may want a client certificate (options tls.cert and tls.key)",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the peer wants a client certificate (options tls.cert and tls.key)",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the client showed no certificate",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the peer does not trust the authority of our certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the peer does not accept our certificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the peer does not accept our certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the peer says that our certificate has expired",
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: "the peer could not verify our TLS messages",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "the two ends have no ALPN protocol in common",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "the two ends have no ALPN protocol in common",
  ERR_SSL_HTTP_REQUEST: "the peer sent a plain HTTP request to a TLS port",
  ERR_TLS_HANDSHAKE_TIMEOUT: "the TLS handshake took too long",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name (option tls.serverName says which name to check)",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed and not trusted here (option tls.ca)",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that is not trusted here (option tls.ca)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that is not trusted here (option tls.ca)",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from an authority that is not trusted here (option tls.ca)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that is not trusted here (option tls.ca)",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  CERT_REVOKED: "its certificate was revoked",
  CERT_SIGNATURE_FAILURE: "the signature of its certificate is wrong",
  INVALID_PURPOSE: "its certificate is not for this use",
};

/** Why listening fails, by platform code. */
const listenFailures: Readonly<Record<string, { readonly code: Code; readonly why: (place: ListenPlace) => string }>> =
  {
    EADDRINUSE: {
      code: "already_exists",
      why: ({ port, path }) =>
        path === undefined ? `port ${port} is taken by another socket` : "another process listens at that path",
    },
    EACCES: {
      code: "permission_denied",
      why: ({ port, path }) =>
        path === undefined ? `this process may not use port ${port}` : "this process may not create a socket there",
    },
    EPERM: { code: "permission_denied", why: () => "this process may not do that" },
    EADDRNOTAVAIL: { code: "invalid_argument", why: ({ host }) => `this machine has no address ${host}` },
    ENOTFOUND: { code: "invalid_argument", why: ({ host }) => `no host is called ${host}` },
    EAI_AGAIN: { code: "unavailable", why: () => "the name server did not answer" },
    EAFNOSUPPORT: { code: "invalid_argument", why: ({ host }) => `this machine has no addresses like ${host}` },
    ENOENT: { code: "invalid_argument", why: () => "its directory does not exist" },
    ENOTDIR: { code: "invalid_argument", why: () => "a part of the path is no directory" },
    EMFILE: { code: "resource_exhausted", why: () => "this process has too many files open" },
  };

/** Where somebody wanted to listen. */
export interface ListenPlace {
  /** As it is shown: `host:port` or `unix:/path`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
}

/** A failed connect: `unavailable`, with the address and the cause in words. Nothing was sent, so `handled` is "no". */
export function connectError(address: string, error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError("unavailable", `Cannot connect to ${address}: ${reasonOf(error)}`, {
    cause: error,
    handled: "no",
  });
}

/** A connection that broke: `unavailable`, with the peer's address and the cause in words. */
export function streamError(address: string, error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError("unavailable", `The connection to ${address} failed: ${reasonOf(error)}`, { cause: error });
}

/** A failed listen: the place and the cause in words. */
export function listenError(place: ListenPlace, error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const known = listenFailures[platformCode(error) ?? ""];
  const why = known?.why(place) ?? reasonOf(error);
  return new RpcError(known?.code ?? "unavailable", `Cannot listen on ${place.address}: ${why}`, { cause: error });
}

/** The platform's code of an error (`ECONNREFUSED`), or undefined. */
export function platformCode(error: unknown): string | undefined {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The cause in words; several failed attempts at the addresses of one name give each cause once. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join("; ");
  const code = platformCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return Object.hasOwn(meanings, code) ? `${meanings[code]} (${code})` : code;
}
