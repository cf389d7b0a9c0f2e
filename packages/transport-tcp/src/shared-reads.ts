import type { OnReadOpts } from "node:net";
import { isNode } from "./builtin.ts";

/** What sockets read into: large enough to save calls of the system, small enough to stay in the processor's cache. */
const sharedReadBytes = 128 * 1024;

/**
 * One for all sockets of the process: a read and what its owner does with the bytes are one call of the event loop. Node's own
 * way takes 64 KiB of fresh memory for each read, outside of the heap, and whoever moves much has the collector mark the
 * whole heap every 16 MiB or so.
 */
let shared: Uint8Array | undefined;

/**
 * Whether sockets may share what they read into. Not on Windows, which is handed the memory before there is anything to
 * read, and not where `node:net` is another's.
 */
export function canShareReads(): boolean {
  return process.platform !== "win32" && isNode;
}

/** Has one socket read into the memory that all share. Give {@link onread} to `net.connect`, and keep the socket paused until {@link take} is set. */
export class SharedReads {
  readonly onread: OnReadOpts;
  /** Gets what was read, valid until it returns. */
  take: (bytes: Uint8Array) => void = () => undefined;

  constructor() {
    shared ??= Buffer.allocUnsafeSlow(sharedReadBytes);
    this.onread = {
      buffer: shared,
      callback: (count, buffer) => {
        this.take(buffer.subarray(0, count));
        return true;
      },
    };
  }
}
