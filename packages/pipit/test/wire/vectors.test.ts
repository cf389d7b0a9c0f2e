import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { string, u32 } from "@pipit/codec";
import {
  bidi,
  clientStream,
  type IncomingCall,
  Metadata,
  oneway,
  RpcError,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { bindAny, frame, framesOf, magicBytes, rawClient, text, u32le } from "../support/raw-peer.ts";
import { simulatedCompression } from "../support/simulated-compression.ts";
import { wirePair } from "../support/wire-pair.ts";

/*
 * `packages/protocol/vectors/exchanges.json`: what a client says and what a server of `vectors.Service` answers, byte for byte,
 * for those who write a peer. `PIPIT_WRITE_VECTORS=1` writes it anew from the exchanges below when the protocol has changed on
 * purpose: read the difference before it is committed.
 */

interface Exchange {
  readonly name: string;
  /** Frames of the client behind magic and preface, as hex; `61*70000` stands for a byte many times over. */
  readonly client: readonly string[];
  /** Frames of the server behind magic and preface. */
  readonly server: readonly string[];
}

const file = new URL("../../../protocol/vectors/exchanges.json", import.meta.url);

/** The service of the vectors; the page beside them says what its methods do. */
const Vectors = service("vectors.Service", {
  echo: unary(),
  fail: unary(),
  refuse: unary(),
  count: serverStream(),
  collect: clientStream(),
  chat: bidi(),
  note: oneway(),
  typed: unary(string, u32),
});

function serve(call: IncomingCall): void {
  const none = (): void => {};
  const inputs: unknown[] = [];
  switch (call.method.name) {
    case "echo":
      if (call.metadata !== undefined) call.sendMetadata(call.metadata);
      return call.reply(call.decodeRequest(), undefined, call.retriesLent);
    case "fail":
      return call.fail(new RpcError("not_found", "no"), new Metadata({ tried: "cache" }), call.retriesLent);
    case "refuse":
      return call.refuse(new RpcError("resource_exhausted", "full", { retryAfterMs: 300 }));
    case "count": {
      call.accept();
      const to = call.decodeRequest() as number;
      for (let i = 1; i <= to; i++) call.send(i);
      call.handler = { onItem: none, onInputEnd: none, onCancel: none, onWritable: none };
      return to === 0 ? undefined : call.end(new Metadata({ counted: "yes" }), call.retriesLent);
    }
    case "collect":
    case "chat":
      call.accept();
      call.handler = {
        onItem(item, bytes) {
          inputs.push(item);
          if (call.method.name === "chat") call.send(item);
          call.release(bytes);
        },
        onInputEnd() {
          if (call.method.name === "chat") call.end(undefined, call.retriesLent);
          else call.reply(inputs, undefined, call.retriesLent);
        },
        onCancel: none,
        onWritable: none,
      };
      return;
    case "note":
      return call.end(undefined, call.retriesLent);
    default:
      call.reply((call.decodeRequest() as string).length, undefined, call.retriesLent);
  }
}

const kinds = ["unary", "server_stream", "client_stream", "bidi", "oneway"];
const bind = (name: keyof typeof Vectors.methods): Buffer =>
  bindAny(0, "vectors.Service", name, kinds.indexOf(Vectors.methods[name].kind));
const request = (flags: number, ...rest: (Uint8Array | readonly number[])[]): Buffer =>
  frame(0x01, 0, [0, flags], ...rest);
const cbor = (value: string): Buffer => Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
const field = (id: number, value: Uint8Array | readonly number[]): Buffer =>
  Buffer.concat([Buffer.of(id, value.length), Buffer.from(value)]);
const longText = Buffer.concat([Buffer.of(0x7a), Buffer.of(0, 1, 0x11, 0x70), Buffer.alloc(70_000, 0x61)]);
const sixKilobytes = Buffer.concat([Buffer.of(0x79, 0x17, 0x70), Buffer.alloc(6000, 0x61)]);
/** Those in the zlib format; as bytes, because versions of zlib differ in theirs. */
const packed = Buffer.from(
  "7801edd0310100000803a018e65b035fdb1b622f44e066830103060c183060c0800103060c183060c0800103060c1830500f3cedb1e2e9",
  "hex",
);
const fingerprint = Buffer.from("0102030405060708", "hex");

/** What the client says in each exchange. */
const said: Readonly<Record<string, readonly Buffer[]>> = {
  "unary: the reply is the request": [bind("echo"), request(0x01, cbor("hi"))],
  "unary: every field of the head, 500 ms left; metadata comes back": [
    bind("echo"),
    request(
      0x0d,
      [0xf4, 0x03],
      field(1, Buffer.from("key-1")),
      field(2, [2]),
      field(3, [0]),
      field(4, [2]),
      field(5, Buffer.from("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
      field(6, [...text("tenant"), 0, ...text("t1"), ...text("raw"), 1, 2, 0xff, 0x00]),
      field(99, [1, 2, 3]),
      [0],
      cbor("hi"),
    ),
  ],
  "unary: an error with trailers": [bind("fail"), request(0x01, cbor(""))],
  "unary: refused, again after 300 ms": [bind("refuse"), request(0x01, cbor(""))],
  "server stream: accepted, three items, the end with trailers": [bind("count"), request(0x01, [3])],
  "server stream: cancelled while open": [bind("count"), request(0x01, [0]), frame(0x0a, 0)],
  "client stream: two items, the end, one reply": [
    bind("collect"),
    request(0),
    frame(0x02, 0, [0], cbor("a")),
    frame(0x02, 0, [0], cbor("b")),
    frame(0x03, 0),
  ],
  "bidirectional: each item comes back": [
    bind("chat"),
    request(0),
    frame(0x02, 0, [0], cbor("a")),
    frame(0x02, 0, [0], cbor("b")),
    frame(0x03, 0),
  ],
  "one-way: the end tells that the handler is done": [bind("note"), request(0x01, cbor("n"))],
  "a slot used again, one generation on": [
    bind("echo"),
    request(0x01, cbor("a")),
    frame(0x01, 1 << 20, [0, 1], cbor("b")),
  ],
  "a long message in two chunks, both ways": [
    bind("echo"),
    request(0x03, u32le(longText.length)),
    frame(0x09, 0, longText.subarray(0, 65_792)),
    frame(0x09, 0, longText.subarray(65_792)),
  ],
  "a small call between the chunks of a long one": [
    bind("echo"),
    request(0x03, u32le(longText.length)),
    frame(0x09, 0, longText.subarray(0, 65_792)),
    frame(0x01, 1, [0, 1], cbor("b")),
    frame(0x0a, 0),
    frame(0x09, 0, longText.subarray(65_792)),
  ],
  "a packed request (deflate)": [bind("echo"), request(0x11, [1], u32le(sixKilobytes.length), packed)],
  "a packed request that unfolds to more than it says": [bind("echo"), request(0x11, [1], u32le(3000), packed)],
  "a message longer than is accepted, refused by its head": [bind("echo"), request(0x03, u32le(5_000_000))],
  "ping and pong": [frame(0x0d, 0, [0x4b, 1, 2, 3, 4, 5, 6, 7])],
  "frames of a later version are skipped, late frames dropped": [
    frame(0x80, 7, [1, 2, 3]),
    frame(0x0a, 5),
    frame(0x0b, 6, [1]),
    frame(0x0d, 0, Buffer.alloc(8)),
  ],
  "bind: no such method, and a call of it": [
    bindAny(0, "vectors.Service", "absent"),
    request(0x01, cbor("")),
    bindAny(1, "vectors.Service", "echo"),
    frame(0x01, 1, [1, 1], cbor("hi")),
  ],
  "bind: a fingerprint that the server does not know, and a call of it": [
    frame(0x11, 0, [0], text("vectors.Service"), text("typed"), [0, 1, 8], fingerprint, [1, 8], fingerprint, [0]),
    request(0x01, [0]),
  ],
  "bind: any value where the server declares a schema": [
    bindAny(0, "vectors.Service", "typed"),
    request(0x01, cbor("")),
  ],
  "fault: a frame of an unknown type": [frame(0x7f, 0)],
  "fault: a call of a method that was not bound": [request(0x01, cbor(""))],
  "fault: an item on a call of one request": [bind("count"), request(0x01, [0]), frame(0x02, 0, [0], cbor("a"))],
  "fault: a request with a message that its call sends in items": [bind("collect"), request(0x01, cbor("a"))],
  "fault: a request without its message": [bind("count"), request(0)],
  "fault: a frame shorter than its head": [Buffer.of(4, 0, 0, 0, 1, 0, 0, 0, 0)],
};

async function answers(name: string, client: readonly Buffer[]): Promise<Exchange> {
  const pair = await wirePair({ contract: Vectors, onCall: serve, serverCompression: simulatedCompression });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  // Versions 1 to 1, no features, no id; 4,096 streams, 256 KiB, 32 MiB, 4 MiB.
  const preface = [1, 1, 0, 0, 0, 0x80, 0x20, 0x80, 0x80, 0x10, 0x80, 0x80, 0x80, 0x10, 0x80, 0x80, 0x80, 0x02];
  stranger.send(magicBytes, frame(0, 0, preface));
  for (const bytes of client) {
    stranger.send(bytes);
    await pair.clock.advance(20);
  }
  await pair.clock.advance(100);
  const frames = framesOf(stranger.received()).slice(1);
  return {
    name,
    client: client.map(hexOf),
    server: frames.map(({ type, streamId, payload }) => hexOf(frame(type, streamId, payload))),
  };
}

/** Hex, with runs of a byte written as one. */
function hexOf(bytes: Buffer): string {
  return bytes
    .toString("hex")
    .replace(/(?:(..)(?=(?:\1){31}))(?:\1){31,}/g, (run, byte: string) => ` ${byte}*${run.length / 2} `);
}

function bytesOf(hex: string): Buffer {
  return Buffer.concat(
    hex.split(" ").map((part) => {
      const [byte = "", count] = part.split("*");
      return count === undefined ? Buffer.from(byte, "hex") : Buffer.alloc(Number(count), Number.parseInt(byte, 16));
    }),
  );
}

if (process.env["PIPIT_WRITE_VECTORS"] !== undefined) {
  const exchanges = [];
  for (const [name, client] of Object.entries(said)) exchanges.push(await answers(name, client));
  writeFileSync(file, `${JSON.stringify({ exchanges }, null, 2)}\n`);
}

const { exchanges } = JSON.parse(readFileSync(file, "utf8")) as { readonly exchanges: readonly Exchange[] };

for (const exchange of exchanges) {
  test(`vector: ${exchange.name}`, async () => {
    const { server } = await answers(exchange.name, exchange.client.map(bytesOf));
    assert.deepEqual(server, exchange.server);
  });
}

test("there is a vector for each exchange, with the bytes that the specification gives it", () => {
  assert.deepEqual(
    exchanges.map(({ name, client }) => [name, client]),
    Object.entries(said).map(([name, client]) => [name, client.map(hexOf)]),
  );
});

test("the vectors show every type of frame", () => {
  const types = new Set<number>();
  for (const { client, server } of exchanges) {
    for (const hex of [...client, ...server]) types.add(bytesOf(hex)[4] ?? 0);
  }
  // The preface is fixed, go-away's answer and load come unasked, credit of a connection needs 8 MiB.
  const unseen = [0x00, 0x0c, 0x10, 0x13];
  for (let type = 0; type <= 0x13; type++) assert.equal(types.has(type), !unseen.includes(type), `type ${type}`);
});
