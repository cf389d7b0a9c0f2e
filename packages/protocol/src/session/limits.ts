/**
 * Bounds of one connection. Each stops an abuse that `docs/limits.md` names; passing one gives the code in brackets.
 */
export interface SessionLimits {
  /** Largest message, encoded, in bytes [resource_exhausted]. Default 4 MiB. */
  readonly maxMessageBytes: number;
  /** Calls open at once on a connection [refused: resource_exhausted]. Default 4,096; at most 1,048,576. */
  readonly maxStreams: number;
  /** Bytes of unfinished messages held for a connection [refused: resource_exhausted]. Default 16 MiB. */
  readonly maxReassemblyBytes: number;
  /** The same for all connections of the process [refused: resource_exhausted]. Default 256 MiB. */
  readonly maxProcessReassemblyBytes: number;
  /** Credit for unconsumed items of one stream, in bytes. Default 256 KiB. */
  readonly streamWindowBytes: number;
  /** Largest credit that a stream grows to when the path is long and wide, in bytes. Default 16 MiB. */
  readonly maxStreamWindowBytes: number;
  /** Credit for unconsumed items of all streams of a connection, in bytes. Default 32 MiB. */
  readonly connectionWindowBytes: number;
  /**
   * Items that all connections of the process hold unread, in bytes: from half of it on windows grow no more, and past it the stream of an
   * item is ended whose connection holds more than one `streamWindowBytes` [resource_exhausted]. Default 256 MiB.
   */
  readonly maxProcessUnreadBytes: number;
  /** Bytes that wait for a peer that does not read; past it the connection is not read either. Default 16 MiB. */
  readonly maxUnsentBytes: number;
  /** Methods bound on a connection [connection closed]. Default 1,024. */
  readonly maxBindings: number;
  /** Bytes of the schemas bound on a connection that differ from this side's own [binding refused: resource_exhausted]. Default 256 KiB. */
  readonly maxForeignSchemaBytes: number;
  /** Cancelled calls whose end the server still owes; past it the connection is closed. Default 16,384. */
  readonly maxOwedEnds: number;
  /** Control frames (ping, cancel, window, bind) read for each call received and each item received or sent, beyond 10,000 [connection closed]. Default 100. */
  readonly maxControlFramesPerCall: number;
  /** Longest wait for the peer's preface, for `authenticate`, and for the rest of a frame that has begun, in milliseconds. Default 10 s. */
  readonly handshakeTimeoutMs: number;
  /** Silence after which a ping is sent while calls are open, in milliseconds. Default 10 s. */
  readonly keepaliveMs: number;
  /** Longest wait for the answer to a ping, in milliseconds. Default 5 s. */
  readonly keepaliveTimeoutMs: number;
}

/** The defaults; `docs/limits.md` gives the reasons. */
export const defaultLimits: SessionLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxStreams: 4096,
  maxReassemblyBytes: 16 * 1024 * 1024,
  maxProcessReassemblyBytes: 256 * 1024 * 1024,
  streamWindowBytes: 256 * 1024,
  maxStreamWindowBytes: 16 * 1024 * 1024,
  connectionWindowBytes: 32 * 1024 * 1024,
  maxProcessUnreadBytes: 256 * 1024 * 1024,
  maxUnsentBytes: 16 * 1024 * 1024,
  maxBindings: 1024,
  maxForeignSchemaBytes: 256 * 1024,
  maxOwedEnds: 16_384,
  maxControlFramesPerCall: 100,
  handshakeTimeoutMs: 10_000,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
};
