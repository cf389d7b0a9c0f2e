import type { ClientConnection, ConnectionHandler, LoadReport, RpcError } from "@pipit/protocol";

/** What was seen of an endpoint's connection: evidence for the registry. */
export type ChannelEvidence = "refused" | "reset" | "timeout";

/** Who is told of the connections to an endpoint: its channel. */
export interface LinkOwner {
  linkReady(connection: ClientConnection, link: ChannelLink): void;
  linkLoad(load: LoadReport): void;
  linkRoom(connection: ClientConnection): void;
  linkDraining(connection: ClientConnection): void;
  /** `connection` is undefined for one that was closed before it was handed out. */
  linkClosed(connection: ClientConnection | undefined, error: RpcError | undefined): void;
}

/** One connection's reports, passed on with its name. */
export class ChannelLink implements ConnectionHandler {
  readonly #channel: LinkOwner;
  connection: ClientConnection | undefined;
  /** End the timers of the connection's age and idleness: those of one that is closed would hold it for minutes. */
  cancelAge: (() => void) | undefined;
  cancelIdleness: (() => void) | undefined;

  constructor(channel: LinkOwner) {
    this.#channel = channel;
  }

  onReady(): void {
    if (this.connection !== undefined) this.#channel.linkReady(this.connection, this);
  }

  onLoad(load: LoadReport): void {
    this.#channel.linkLoad(load);
  }

  onRoom(): void {
    if (this.connection !== undefined) this.#channel.linkRoom(this.connection);
  }

  onDraining(): void {
    if (this.connection !== undefined) this.#channel.linkDraining(this.connection);
  }

  onClosed(error: RpcError | undefined): void {
    this.cancelAge?.();
    this.cancelIdleness?.();
    this.#channel.linkClosed(this.connection, error);
  }
}

/** What a failed connect proves; the system's code tells, never the text. */
export function evidenceOf(error: RpcError): ChannelEvidence {
  const code = (error.cause as { readonly code?: unknown } | undefined)?.code;
  if (error.code === "deadline_exceeded" || code === "ETIMEDOUT") return "timeout";
  return code === "ECONNRESET" ? "reset" : "refused";
}
