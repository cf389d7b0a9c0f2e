import assert from "node:assert/strict";
import { test } from "node:test";
import { optional, string, struct, u32 } from "@pipit/codec";
import { createTransport, defaultLimits, type Service, service, unary } from "@pipit/protocol";
import { seededRandom } from "@pipit/simulation";
import { RecordedCall } from "../support/recorded-call.ts";
import { type WirePair, wirePair } from "../support/wire-pair.ts";

/* A client that knows a server binds by fingerprints; a server that does not know them is told the schemas. */

const request = struct({ text: string, first: optional(string), second: optional(string), third: optional(string) });
const reply = struct({ text: string, length: optional(u32, { default: 0 }) });
const Echo = service("finger.Echo", { echo: unary(request, reply) });
/** The same method as another version declares it. */
const Newer = service("finger.Echo", { echo: unary(struct({ text: string, tone: optional(string) }), reply) });

async function echoPair(): Promise<WirePair> {
  return await wirePair({
    contract: Echo,
    onCall: (call) => call.reply({ text: (call.decodeRequest() as { text: string }).text }, undefined, 1),
  });
}

/** Listens elsewhere under the very name and generation of the first server, with its own idea of the contract. */
async function impostor(pair: WirePair, contract: Service): Promise<string> {
  const { clock, network } = pair;
  const listener = await clock.runUntil(
    createTransport(network.host("impostor")).listen(
      {},
      {
        clock,
        random: seededRandom(9),
        limits: defaultLimits,
        identity: { id: "server", generation: "1" },
        acceptor: {
          lookup: (_, method) => contract.methods[method],
          onCall: (call) => call.reply({ text: (call.decodeRequest() as { text: string }).text }, undefined, 1),
          ready: () => true,
          load: () => undefined,
        },
      },
    ),
  );
  return listener.address;
}

async function echo(pair: WirePair, connection: WirePair["connection"]): Promise<RecordedCall> {
  const call = new RecordedCall(Echo.methods.echo, { text: "hi" });
  connection.start(call);
  await pair.clock.advance(10);
  return call;
}

test("a second connection to a server binds by fingerprints, with fewer bytes and no round trip", async () => {
  const pair = await echoPair();
  await pair.clock.advance(10);
  const sizes: number[] = [];
  for (const connect of [() => pair.connection, () => pair.connect()]) {
    const connection = connect();
    await pair.clock.advance(10);
    const link = pair.network.links.at(-1);
    const before = link?.sentBytes("toServer") ?? 0;
    assert.equal((await echo(pair, connection)).end?.type, "reply");
    sizes.push((link?.sentBytes("toServer") ?? 0) - before);
  }
  const [whole = 0, short = 0] = sizes;
  assert.ok(short < whole / 2, `${short} bytes after ${whole}`);
});

test("a server that does not know a fingerprint refuses what has not run, and is told the schemas by the next call", async () => {
  const pair = await echoPair();
  await pair.clock.advance(10);
  await echo(pair, pair.connection);
  const connection = pair.connect(await impostor(pair, Newer));
  await pair.clock.advance(10);
  const refused = await echo(pair, connection);
  assert.ok(refused.end?.type === "failure");
  assert.equal(refused.end.failure.refused, true);
  assert.equal(refused.end.failure.handled, "no");
  assert.equal(refused.end.failure.error.code, "unavailable");
  const served = await echo(pair, connection);
  assert.deepEqual(served.end, { type: "reply", reply: { text: "hi", length: 0 }, trailers: undefined });
  assert.equal(connection.state, "ready");
});

test("calls in flight behind an unknown fingerprint are each refused, and none is lost", async () => {
  const pair = await echoPair();
  await pair.clock.advance(10);
  await echo(pair, pair.connection);
  const connection = pair.connect(await impostor(pair, Newer));
  await pair.clock.advance(10);
  const calls = Array.from({ length: 20 }, () => new RecordedCall(Echo.methods.echo, { text: "hi" }));
  for (const call of calls) connection.start(call);
  await pair.clock.advance(10);
  for (const { end } of calls) assert.ok(end?.type === "failure" && end.failure.refused);
  assert.equal((await echo(pair, connection)).end?.type, "reply");
});

test("what one server does not know does not take fingerprints from methods that it does", async () => {
  const Two = service("finger.Echo", { echo: unary(request, reply), other: unary(request, reply) });
  const pair = await wirePair({ contract: Two, onCall: (call) => call.reply({ text: "ok" }, undefined, 1) });
  await pair.clock.advance(10);
  for (const method of [Two.methods.echo, Two.methods.other])
    pair.connection.start(new RecordedCall(method, { text: "a" }));
  await pair.clock.advance(10);
  const other = service("finger.Echo", { echo: Newer.methods.echo, other: Two.methods.other });
  const connection = pair.connect(await impostor(pair, other));
  await pair.clock.advance(10);
  const known = new RecordedCall(Two.methods.other, { text: "a" });
  const unknown = new RecordedCall(Two.methods.echo, { text: "a" });
  connection.start(unknown);
  connection.start(known);
  await pair.clock.advance(10);
  assert.ok(unknown.end?.type === "failure" && unknown.end.failure.refused);
  assert.equal(known.end?.type, "reply");
});
