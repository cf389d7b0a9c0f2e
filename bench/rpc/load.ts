import { bytes, serverStream, service, string, struct, u32, unary } from "pipit";

/* What both processes of `stream-load` know. */

/** Bytes of one item of the stream. */
export const loadItemBytes = 65_536;

export const Load = service("bench.Load", {
  tiny: unary(struct({ name: string }), struct({ message: string }), { idempotency: "safe" }),
  blob: unary(bytes, bytes, { idempotency: "safe" }),
  produce: serverStream(struct({ count: u32 }), bytes),
});

/**
 * What runs beside the small calls: by Pipit, on their connection; or by hand, without chunks on their connection (the control), or on a
 * connection of its own, where nothing but the two processes is shared (the floors).
 */
export type Beside =
  | "nothing"
  | "fast reader"
  | "slow reader"
  | "stopped reader"
  | "blobs"
  | "control"
  | "floor of nothing"
  | "floor of reader"
  | "floor of blobs";

/** What the client is to do beside its small calls. */
export interface LoadJob {
  readonly beside: Beside;
  /** Bytes of the stream; it may end earlier than `ms`, or later. */
  readonly streamBytes: number;
  /** How long small calls are made when the stream does not say. */
  readonly ms: number;
}

/** What came of it. */
export interface LoadOutcome {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly calls: number;
  readonly movedBytes: number;
  readonly elapsedMs: number;
}

/** Resident memory of a process: highest since the last reading. */
export interface Memory {
  readonly rssBytes: number;
  readonly peakBytes: number;
}

const sampleEveryMs = 50;

/** Looks at the resident memory now and then. Each reading begins the peak anew. */
export function watchMemory(): { read(): Memory } {
  let peakBytes = 0;
  const look = (): number => {
    const rssBytes = process.memoryUsage.rss();
    peakBytes = Math.max(peakBytes, rssBytes);
    return rssBytes;
  };
  setInterval(look, sampleEveryMs).unref();
  return {
    read() {
      const rssBytes = look();
      const reading = { rssBytes, peakBytes };
      peakBytes = rssBytes;
      return reading;
    },
  };
}
