import { type ClientConnection, type Metadata, RpcError } from "@pipit/protocol";
import { waitAt } from "./call-wait.ts";
import type { ClientCall } from "./client-call.ts";
import type { AddCredentials } from "./credentials.ts";
import type { EndpointChannel } from "./endpoint-channel.ts";

/** Asks for the call's credentials, and sends it with them. */
export function sendWithCredentials(
  call: ClientCall,
  add: AddCredentials,
  connection: ClientConnection,
  channel: EndpointChannel,
): void {
  if (connection.peer === undefined) {
    // Whether the connection may carry a secret is known once it stands.
    waitAt(call, channel);
    return;
  }
  call.state = "waiting";
  const { asking } = call.core;
  asking.add(call);
  const rare = call.useRare();
  const wait = {
    stop() {
      rare.wait = undefined;
      asking.delete(call);
    },
  };
  rare.wait = wait;
  const end = (go: () => void): void => {
    if (rare.wait !== wait) return;
    wait.stop();
    go();
  };
  add(call.method, connection).then(
    (secret) => end(() => credentialsCame(call, secret, connection)),
    (error: unknown) =>
      end(() => {
        call.done("refused");
        call.fail(RpcError.from(error, "unauthenticated"));
      }),
  );
}

function credentialsCame(call: ClientCall, secret: Metadata, connection: ClientConnection): void {
  const rare = call.useRare();
  for (const [name, value] of rare.ownMetadata ?? []) secret.set(name, value);
  rare.metadata = secret;
  if (connection.available) call.sendOn(connection);
  else call.connect();
}
