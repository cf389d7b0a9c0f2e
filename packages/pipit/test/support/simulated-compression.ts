import { deflateSync, inflateSync } from "node:zlib";
import type { Compression } from "@pipit/protocol";
import type { VirtualClock } from "@pipit/simulation";

/** The algorithms of a real one, done in no time and answered after `delayMs` of virtual time. */
export function simulatedCompression(clock: VirtualClock, delayMs = 1): Compression {
  const later = (work: () => Uint8Array | undefined, done: (bytes: Uint8Array | undefined) => void): void => {
    clock.after(delayMs, () => done(work()));
  };
  return {
    algorithms: ["deflate"],
    pack: (_, bytes, done) => later(() => deflateSync(bytes, { level: 1 }), done),
    unpack(_, packed, sizeBytes, done) {
      later(() => {
        try {
          const bytes = inflateSync(packed, { maxOutputLength: sizeBytes });
          return bytes.length === sizeBytes ? bytes : undefined;
        } catch {
          return undefined;
        }
      }, done);
    },
  };
}
