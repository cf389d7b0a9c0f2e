/** PEM text of certificates or a key: as a string, as bytes, or several to be joined. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/** PEM text, or a function that gives it anew: then a renewed file counts from the next connection on, without a restart. */
export type PemSource = Pem | (() => Pem | Promise<Pem>);

/** A certificate with its private key. */
export interface TlsIdentity {
  /** The certificate, followed by those of the authorities between it and the root. */
  readonly cert: PemSource;
  readonly key: PemSource;
  /** Opens an encrypted key. */
  readonly passphrase?: string | undefined;
}

/**
 * TLS for both ends. A listening end needs `cert` and `key`. A connecting end checks the server's certificate always; there is
 * no option to skip that.
 */
export interface TlsOptions {
  /** The authorities to trust. Default: those that come with Node. Give your own for private ones and for client certificates. */
  readonly ca?: PemSource | undefined;
  /** This end's certificate: for a server, or for a client where the server asks for one. */
  readonly cert?: PemSource | undefined;
  /** Private key of `cert`. */
  readonly key?: PemSource | undefined;
  /** Opens an encrypted `key`. */
  readonly passphrase?: string | undefined;
  /** Client: the name that the server's certificate must be for, and that SNI asks for. Default: the host of the address. */
  readonly serverName?: string | undefined;
  /** Server: other certificates by the name that a client asks for (SNI); names not listed get `cert`. */
  readonly names?: Readonly<Record<string, TlsIdentity>> | undefined;
  /**
   * Server: `true` lets in only clients with a certificate of `ca` (mutual TLS); `"optional"` also lets others in, who then
   * have no `peer.certificate`. Default false: clients are not asked.
   */
  readonly requestClientCert?: boolean | "optional" | undefined;
  /** Default `"TLSv1.2"`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** ALPN protocols to offer or accept, best first. Default none: then the peer's choice does not matter. */
  readonly alpn?: readonly string[] | undefined;
  /** Longest time from an accepted connection to the end of its handshake, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Server: told of handshakes that failed, and of a function of `cert`, `key`, `ca` or `names` that threw, gave no valid
   * certificate, or nothing within 2 s (the earlier one is kept then). Default: failed handshakes are silent, the rest is a process warning.
   */
  readonly onTlsError?: ((event: TlsErrorEvent) => void) | undefined;
}

/** What went wrong at a TLS server without an end to any stream. */
export interface TlsErrorEvent {
  readonly type: "handshake" | "reload";
  readonly error: Error;
  /** The client whose handshake failed. */
  readonly peerAddress?: string | undefined;
}
