import type { CallOptions } from "@pipit/protocol";

/** Key of what this package tells its own calls through the layers around them; not exported, so nobody else can. */
export const internal: unique symbol = Symbol("pipit.internal");

/** What {@link internal} holds. */
export interface InternalOptions {
  /** Time spent waiting for a place of the client's own limit. */
  readonly queuedMs?: number | undefined;
  /** Id of the one endpoint to use. */
  readonly only?: string | undefined;
}

/** Call options with what this package adds. Spreading keeps it. */
export interface WithInternal extends CallOptions {
  readonly [internal]?: InternalOptions | undefined;
}

/** What this package added to some options. */
export function internalOf(options: CallOptions | undefined): InternalOptions | undefined {
  const ours: WithInternal | undefined = options;
  return ours?.[internal];
}

/** The same options, and more of ours. */
export function withInternal(options: CallOptions | undefined, more: InternalOptions): WithInternal {
  return { ...options, [internal]: { ...internalOf(options), ...more } };
}
