import { channel as diagnosticsChannel, type Channel } from "node:diagnostics_channel";
import type { Code, Method, Peer } from "@pipit/protocol";

/** Published on `pipit:server:call:start` when a call arrived. */
export interface ServerCallStart {
  readonly method: Method;
  readonly peer: Peer;
  readonly attempt: number;
}

/** Published on `pipit:server:call:end` when the handler of a call has ended. */
export interface ServerCallFinish extends ServerCallStart {
  /** Absent when it succeeded. */
  readonly code: Code | undefined;
}

/** Calls as they arrive. Publish only when it has subscribers. */
export const callStart: Channel = diagnosticsChannel("pipit:server:call:start");
/** Calls as their handlers end. Publish only when it has subscribers. */
export const callEnd: Channel = diagnosticsChannel("pipit:server:call:end");
