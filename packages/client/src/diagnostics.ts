import { channel as diagnosticsChannel, type Channel } from "node:diagnostics_channel";
import type { CallRecord, Method, RpcError } from "@pipit/protocol";

/** Published on `pipit:client:connect`. */
export interface ConnectEvent {
  readonly address: string;
  readonly event: "ready" | "failed" | "closed";
  readonly error: RpcError | undefined;
}

/** Published on `pipit:client:call:start`. */
export interface ClientCallStart {
  readonly method: Method;
  readonly target: string;
}

/** Published on `pipit:client:call:end`. */
export interface ClientCallFinish extends ClientCallStart {
  readonly record: CallRecord;
  /** Absent when it succeeded. */
  readonly error: RpcError | undefined;
}

/** Connections as they come and go. Publish only when it has subscribers. */
export const connectEvents: Channel = diagnosticsChannel("pipit:client:connect");
/** Calls as they begin. Publish only when it has subscribers. */
export const callStart: Channel = diagnosticsChannel("pipit:client:call:start");
/** Calls as they end. Publish only when it has subscribers. */
export const callEnd: Channel = diagnosticsChannel("pipit:client:call:end");
