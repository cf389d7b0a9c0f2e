import assert from "node:assert/strict";
import { test } from "node:test";
import { unary, service } from "@pipit/protocol";
import type { PipitClient } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";
import { bindAny, clientPreface, framesOf, rawClient } from "../support/raw-peer.ts";
import { wirePair } from "../support/wire-pair.ts";

const say = (client: PipitClient): Promise<{ text: string }> => client.call(Probe.methods.plain, { text: "hi" });

holdsEverywhere((it) => {
  it("one connection too many is told so, its calls go elsewhere at no cost, and it gets in once there is room", async (world) => {
    const full = world.server({ maxConnections: 1 }).handle(Probe, { plain: () => ({ text: "full" }) } as never);
    const address = await world.listen(full);
    const first = world.client(address);
    assert.deepEqual(await world.run(say(first)), { text: "full" });
    const second = world.client(address);
    const refused = await world.run(failure(say(second)));
    assert.deepEqual([refused.code, refused.handled], ["unavailable", "no"]);
    assert.match(refused.message, /at its limit of connections, 1/);

    const other = world.server().handle(Probe, { plain: () => ({ text: "other" }) } as never);
    const noRetry = { retry: { budget: { ratio: 0, perSecond: 0 } } };
    const choosing = world.client([address, await world.listen(other)], noRetry);
    for (let count = 0; count < 20; count++) assert.deepEqual(await world.run(say(choosing)), { text: "other" });
    assert.equal(full.stats().calls.started, 1);
    await world.run(choosing.close());

    await world.run(first.close());
    await world.until(() => full.stats().connections === 0);
    await world.pass(100);
    assert.deepEqual(await world.run(say(second)), { text: "full" });
  });

  it("a peer that is being authenticated takes one of the connections", async (world) => {
    const options = { maxConnections: 1, authenticate: () => new Promise(() => undefined) };
    const server = world.server(options).handle(Probe, { plain: () => assert.fail() } as never);
    const address = await world.listen(server);
    void failure(say(world.client(address)));
    await world.pass(20);
    assert.match((await world.run(failure(say(world.client(address))))).message, /at its limit of connections/);
  });
});

const Any = service("any.Any", { echo: unary() });

test("beyond 64 that are told so, connections too many are closed unheard, and none of them learns a schema", async () => {
  const { clock, network, listener } = await wirePair({ contract: Any, maxConnections: 1 });
  const told: number[][] = [];
  const strangers = [];
  for (let count = 0; count < 70; count++) {
    const stranger = await rawClient(network, clock, listener.address);
    stranger.send(clientPreface, bindAny(0, "any.Any", "echo"));
    strangers.push(stranger);
  }
  await clock.advance(50);
  for (const stranger of strangers) told.push(framesOf(stranger.received()).map(({ type }) => type));
  // Preface, go-away, and a binding that is refused.
  assert.deepEqual(
    told.slice(0, 64),
    Array.from({ length: 64 }, () => [0x00, 0x0f, 0x12]),
  );
  assert.deepEqual(
    told.slice(64),
    Array.from({ length: 6 }, () => []),
  );
  const [bound] = framesOf(strangers[0]?.received() ?? Buffer.alloc(0)).filter(({ type }) => type === 0x12);
  assert.equal(bound?.payload[1], 2);
  assert.equal(listener.connections, 65);
  await clock.advance(5000);
  assert.equal(listener.connections, 1);
});

test("a full server still answers the probes of its port", async () => {
  const { clock, network, listener } = await wirePair({ contract: Any, maxConnections: 1 });
  const probe = await rawClient(network, clock, listener.address);
  probe.send("GET /livez HTTP/1.1\r\n\r\n");
  await clock.advance(50);
  assert.match(probe.received().toString(), /^HTTP\/1\.1 200 OK/);
  assert.equal(probe.ended(), true);
});
