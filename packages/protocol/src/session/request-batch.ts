import type { ClientStream } from "./client-stream.ts";

/**
 * The calls whose requests go to the socket together. One object for all of them: to tell each call when they leave would touch it once more.
 * It keeps what left in one piece; a call that lasts moves on to {@link lasting}.
 */
export class RequestBatch {
  /** Where the requests lie. Undefined while that is the slab that is being written. */
  bytes: Uint8Array | undefined = undefined;
  /** They went to the socket; else, once the connection has ended, they never will. */
  isSent = false;
  /** One-way calls among them: those settle when they leave. */
  oneways: ClientStream[] | undefined = undefined;
}

/** The batch of calls that left long ago: where their requests are still of use, they lie apart. */
export const lasting: RequestBatch = Object.assign(new RequestBatch(), { bytes: new Uint8Array(0), isSent: true });
