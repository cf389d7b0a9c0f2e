import type { Clock } from "./clock.ts";

/** Who is at the other end, as far as the stream below the session knows. */
export interface StreamPeer {
  /** Where the peer is: `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  /** Nobody but the two ends can read or change the bytes: TLS, a Unix socket, memory. */
  readonly secure: boolean;
  /** What the stream itself proves about the peer, for `authenticate`. Absent where nothing is proved. */
  readonly certificate?: PeerCertificate | undefined;
  /** The bytes cannot leave this machine: loopback, a Unix socket, memory. */
  readonly local: boolean;
}

/** A certificate that the peer proved to hold, already verified against the trusted authorities. */
export interface PeerCertificate {
  /** Common name of the subject, or empty. */
  readonly commonName: string;
  /** Subject alternative names, each `DNS:…`, `URI:…` or `IP:…`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 fingerprint, lower-case hex. */
  readonly fingerprint256: string;
}

/** What a stream tells its one owner. Calls come from the event loop, never from inside a method of the stream. */
export interface ByteStreamHandler {
  /** Bytes arrived. The chunk belongs to the receiver from now on and is never rewritten. */
  onData(chunk: Uint8Array): void;
  /**
   * Bytes arrived in memory that the stream reads into again, or frees, once this returns: keep copies. A stream that reads so
   * calls this in place of `onData` where the owner has it, and saves the collector the memory of each read; else it copies.
   */
  onBorrowed?(chunk: Uint8Array): void;
  /** Unsent bytes fell to zero after {@link ByteStream.write} had returned false. */
  onDrain(): void;
  /** The peer half-closed: no more data will come; what we write still goes out. */
  onEnd(): void;
  /** The stream is gone. Called exactly once, last; `error` is absent after an orderly close. */
  onClose(error: Error | undefined): void;
}

/**
 * An ordered, reliable stream of bytes between two ends: the seam below the session. TCP, TLS, Unix sockets and the
 * simulated network provide it.
 */
export interface ByteStream {
  readonly peer: StreamPeer;
  /** Bytes taken by {@link write} that the operating system has not taken yet. */
  readonly unsentBytes: number;
  /** True when bytes that `unsentBytes` no longer counts were copied, so that their array may be written again. */
  readonly copiesWrites?: boolean | undefined;
  /** Attaches the one owner and lets data flow. Called exactly once. */
  start(handler: ByteStreamHandler): void;
  /**
   * Sends bytes in order; the stream owns the array from now on. Returns false when unsent bytes passed the high-water
   * mark: `onDrain` will follow. After `end`, `destroy` or close the bytes are dropped.
   */
  write(bytes: Uint8Array): boolean;
  /** {@link write} of several arrays at once: one call of the operating system. */
  writeAll(parts: readonly Uint8Array[]): boolean;
  /** Half-closes once everything written is sent. */
  end(): void;
  /** Ends both directions at once; unsent bytes are lost. `onClose` follows. Safe to call again. */
  destroy(error?: Error): void;
  /** Stops reading; the peer is held up once buffers are full. */
  pause(): void;
  resume(): void;
}

/** Options of {@link ByteTransport.connect}. */
export interface ByteConnectOptions {
  /** Gives the attempt up; the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The name that a certificate must be for. Default: the host of the address. */
  readonly serverName?: string | undefined;
}

/** Where to listen. */
export interface ListenAddress {
  /** Default `127.0.0.1`: open to this machine only. */
  readonly host?: string | undefined;
  /** Default 0: the system chooses. */
  readonly port?: number | undefined;
  /** A Unix socket's path instead of host and port. */
  readonly path?: string | undefined;
}

/** Options of {@link ByteTransport.listen}. */
export interface ByteListenOptions {
  /**
   * Streams open at once, those included whose handshake is under way; what comes beyond is closed unheard. Default: no bound. For
   * transports to whose number the outside world adds.
   */
  readonly maxStreams?: number | undefined;
}

/** A listening end. */
export interface ByteListener {
  /** Where it really listens: `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Accepts no more; streams already accepted live on. */
  close(): Promise<void>;
}

/** Opens and accepts byte streams: what TCP, Unix sockets and the simulated network implement, in a page each. */
export interface ByteTransport {
  readonly name: string;
  /** Rejects with an `RpcError` `unavailable` that names the address and the cause. */
  connect(address: string, options: ByteConnectOptions): Promise<ByteStream>;
  listen(
    where: ListenAddress,
    accept: (stream: ByteStream) => void,
    options?: ByteListenOptions,
  ): Promise<ByteListener>;
}
