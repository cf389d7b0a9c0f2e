import { type ClientConnection, Metadata, type MetadataInit, type Method, RpcError } from "@pipit/protocol";

/** For which call {@link Credentials.metadata} is asked. */
export interface CredentialsRequest {
  readonly method: Method;
  /** Where the call goes: `host:port` or `unix:/path`. */
  readonly address: string;
}

/** Proves to servers who calls. */
export interface Credentials {
  /** Metadata of one sending of a call, such as `{ authorization: "Bearer …" }`. Never shown in errors or records. */
  metadata(request: CredentialsRequest): MetadataInit | PromiseLike<MetadataInit>;
  /** Send them over an unencrypted connection that leaves the machine, too. Default false. */
  readonly allowPlaintext?: boolean | undefined;
}

/** What a call asks before it is sent. Rejects with `unauthenticated` where the connection may not carry a secret. */
export type AddCredentials = (method: Method, connection: ClientConnection) => Promise<Metadata>;

/** Guards {@link Credentials}: nothing secret goes where others could read it. */
export function guardCredentials(credentials: Credentials): AddCredentials {
  return async (method, connection) => {
    const { peer, address } = connection;
    if (peer?.secure !== true && peer?.local !== true && credentials.allowPlaintext !== true) {
      throw new RpcError("unauthenticated", "Credentials are not sent over plaintext; use TLS or allowPlaintext", {
        handled: "no",
      });
    }
    return new Metadata(await credentials.metadata({ method, address }));
  };
}
