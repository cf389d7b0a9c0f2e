import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CallAcceptor,
  defaultLimits,
  type RpcError,
  systemClock,
  systemRandom,
  type Transport,
} from "@pipit/protocol";
import { tcp, tcpStreams } from "@pipit/transport-tcp";
import { identity, Station, trusting } from "./fixtures.ts";

test("a plain client that meets a TLS port is told so", async () => {
  await using station = await Station.open(tcpStreams({ tls: identity("server") }));
  const error = await closeError(tcp(), station.address);
  assert.equal(error?.code, "unavailable");
  assert.equal(error?.message, `${station.address} speaks TLS; give the client transport: tcp({ tls: … })`);
});

test("a TLS client that meets a plain port is told so", async () => {
  const listener = await tcp().listen({}, { ...ends, acceptor, identity: { id: "s", generation: "1" } });
  const error = await closeError(tcp({ tls: trusting }), listener.address);
  listener.destroy();
  assert.equal(error?.code, "unavailable");
  assert.match(error?.message ?? "", /the peer does not speak TLS on this port \(connect without the tls option\)/u);
});

const ends = { clock: systemClock, random: systemRandom, limits: defaultLimits };

const acceptor: CallAcceptor = {
  lookup: () => undefined,
  onCall: () => assert.fail("no call can arrive"),
  ready: () => true,
  load: () => undefined,
};

/** Connects, and waits for what ends the connection. */
function closeError(transport: Transport, address: string): Promise<RpcError | undefined> {
  return new Promise((resolve) => {
    const handler = { onReady: ignore, onLoad: ignore, onDraining: ignore, onClosed: resolve };
    transport.connect(address, { ...ends, handler, connectTimeoutMs: 5_000 });
  });
}

function ignore(): void {}
