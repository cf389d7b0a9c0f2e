// Recordings of a real session, mutated, played to a server and to a client. Whatever comes: no throw, every call of ours
// ends once the connection has, and a well-behaved client beside the bad one is served.
import assert from "node:assert/strict";
import {
  bidi,
  type IncomingCall,
  isRpcError,
  oneway,
  type Random,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { rawClient, rawPeer } from "../test/support/raw-peer.ts";
import { RecordedCall } from "../test/support/recorded-call.ts";
import { simulatedCompression } from "../test/support/simulated-compression.ts";
import { wirePair } from "../test/support/wire-pair.ts";

const Any = service("any.Any", {
  echo: unary(),
  items: serverStream(),
  chat: bidi({ compress: true }),
  note: oneway(),
  pack: unary({ compress: true }),
});

const compression = { clientCompression: simulatedCompression, serverCompression: simulatedCompression };

/** What one side of a healthy session said. */
interface Recording {
  readonly toServer: Uint8Array;
  readonly toClient: Uint8Array;
}

let recording: Recording | undefined;

/** One mutated session; throws when a law is broken. */
export async function round(random: Random): Promise<void> {
  recording ??= await record();
  await playToServer(random, mutate(random, recording.toServer));
  await playToClient(random, mutate(random, recording.toClient));
}

function serve(call: IncomingCall): void {
  call.handler = {
    onItem(item, bytes) {
      call.release(bytes);
      orFail(call, () => call.writable && call.send(item));
    },
    onInputEnd: () => call.end(undefined, 0),
    onCancel() {},
    onWritable() {},
  };
  if (call.method.kind === "bidi") return call.accept();
  orFail(call, () => {
    const request = call.decodeRequest();
    if (call.method.kind === "unary") return call.reply(request, undefined, 0);
    if (call.method.kind === "server_stream") for (let i = 0; i < 3 && call.writable; i++) call.send(i);
    call.end(undefined, 0);
  });
}

/** As a server answers: a request that does not decode, or a reply longer than the mutated preface allows, fails its call. */
function orFail(call: IncomingCall, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!isRpcError(error)) throw error;
    call.fail(error, undefined, 0);
  }
}

async function record(): Promise<Recording> {
  const pair = await wirePair({ contract: Any, onCall: serve, ...compression });
  const said = { toServer: [] as Uint8Array[], toClient: [] as Uint8Array[] };
  // A stranger in the middle notes both directions.
  const front = await pair.clock.runUntil(
    pair.network.host("middle").listen({ port: 7 }, (stream) => {
      const client = rawPeer(stream);
      void pair.network
        .host("middle")
        .connect(pair.listener.address, { signal: new AbortController().signal, clock: pair.clock })
        .then((onward) => {
          const server = rawPeer(onward);
          let sent = 0;
          let returned = 0;
          const relay = (): void => {
            const up = client.received().subarray(sent);
            const down = server.received().subarray(returned);
            sent += up.length;
            returned += down.length;
            if (up.length > 0) said.toServer.push(up);
            if (down.length > 0) said.toClient.push(down);
            if (up.length > 0) server.send(up);
            if (down.length > 0) client.send(down);
            if (!client.ended()) pair.clock.after(1, relay, { background: true });
          };
          relay();
        });
    }),
  );
  const connection = pair.connect(front.address);
  // Nothing is packed before the prefaces have passed.
  await pair.clock.advance(20);
  connection.start(new RecordedCall(Any.methods.pack, "p".repeat(5000)));
  await pair.clock.advance(20);
  connection.start(new RecordedCall(Any.methods.echo, { hello: ["world", 1, 2.5] }));
  connection.start(new RecordedCall(Any.methods.items, "from"));
  connection.start(new RecordedCall(Any.methods.note, "note"));
  const chat = connection.start(new RecordedCall(Any.methods.chat, undefined));
  chat.send("a".repeat(2000));
  await pair.clock.advance(20);
  chat.send("b");
  chat.endInput();
  connection.start(new RecordedCall(Any.methods.echo, "x".repeat(70_000)));
  await pair.clock.advance(200);
  return { toServer: Buffer.concat(said.toServer), toClient: Buffer.concat(said.toClient) };
}

async function playToServer(random: Random, bytes: Uint8Array): Promise<void> {
  const pair = await wirePair({ contract: Any, onCall: serve, ...compression });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  for (const piece of pieces(random, bytes)) {
    stranger.send(piece);
    await pair.clock.advance(1);
  }
  const honest = new RecordedCall(Any.methods.echo, "honest");
  pair.connection.start(honest);
  await pair.clock.advance(50);
  assert.deepEqual(honest.end, { type: "reply", reply: "honest", trailers: undefined });
  stranger.stream.destroy();
  await pair.clock.advance(50);
  assert.ok(pair.calls.every((call) => !call.open || call === pair.calls.at(-1)));
}

async function playToClient(random: Random, bytes: Uint8Array): Promise<void> {
  const pair = await wirePair({ contract: Any, onCall: serve, ...compression });
  const listener = await pair.clock.runUntil(
    pair.network.host("bad").listen({}, (stream) => {
      const peer = rawPeer(stream);
      for (const piece of pieces(random, bytes)) peer.send(piece);
    }),
  );
  const connection = pair.connect(listener.address);
  const calls = (["pack", "echo", "items", "chat", "note"] as const).map(
    (name) => new RecordedCall(Any.methods[name], "x"),
  );
  for (const call of calls) connection.start(call);
  await pair.clock.advance(100);
  connection.destroy();
  for (const call of calls) assert.ok(call.end !== undefined, `${call.method.name} is pending`);
}

function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const mutant = Uint8Array.from(bytes);
  for (let i = 1 + (random.u32() % 6); i > 0; i--) {
    // Most mutations near the start: the long message behind would swallow them.
    const at = random.u32() % (random.u32() % 4 === 0 ? mutant.length : Math.min(400, mutant.length));
    mutant[at] = random.u32() % 3 === 0 ? random.u32() : (mutant[at] ?? 0) ^ (1 << (random.u32() % 8));
  }
  const cut = random.u32() % 4 === 0 ? random.u32() % mutant.length : mutant.length;
  return mutant.subarray(0, cut);
}

function* pieces(random: Random, bytes: Uint8Array): Generator<Uint8Array> {
  for (let pos = 0; pos < bytes.length; ) {
    const size = random.u32() % 2 === 0 ? 1 + (random.u32() % 50) : 1 + (random.u32() % 60_000);
    yield bytes.subarray(pos, pos + size);
    pos += size;
  }
}
