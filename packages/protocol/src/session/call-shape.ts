import type { Method } from "../contract.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/* Which frames a call of each kind has (wire protocol, the table of section "Streams"). */

/** Whether the client sends a stream of requests. */
export function streamsInput({ kind }: Method): boolean {
  return kind === "client_stream" || kind === "bidi";
}

/** Whether the server sends a stream of replies. */
export function streamsOutput({ kind }: Method): boolean {
  return kind === "server_stream" || kind === "bidi";
}

/** Whether the server's end carries a reply. */
export function hasOneReply({ kind }: Method): boolean {
  return kind === "unary" || kind === "client_stream";
}

/** The peer sent a frame that calls of this kind do not have. */
export function misplaced(frame: string, { kind }: Method): ProtocolFault {
  return new ProtocolFault(`${frame} on a ${kind} call`);
}
