import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { string, struct, u32 } from "@pipit/codec";
import { bidi, type IncomingCall, Metadata, RpcError, serverStream, service, unary } from "@pipit/protocol";
import { framesOf, magicBytes, type RawPeer, rawPeer } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";
import { wirePair } from "../support/wire-pair.ts";

/*
 * docs/wire-protocol.md ends with a session in hex. Here the real ends have that very session, and say it byte for byte.
 * `PIPIT_PRINT_SESSION=1` prints it anew when the protocol has changed on purpose.
 */

const Greeter = service("g.Greeter", {
  hello: unary(struct({ name: string }), struct({ message: string }), { errors: { unknown: struct({ id: u32 }) } }),
  count: serverStream(u32, u32),
  chat: bidi(),
});

type Line = readonly [from: "C" | "S", hex: string];

function serve(call: IncomingCall): void {
  if (call.method.name === "chat") {
    call.handler = {
      onItem(item) {
        call.send(item);
      },
      onInputEnd: () => call.end(new Metadata({ bye: "now" }), 1),
      onCancel() {},
      onWritable() {},
    };
    return call.accept();
  }
  if (call.method.name === "count") {
    call.handler = { onItem() {}, onInputEnd() {}, onCancel() {}, onWritable() {} };
    call.accept();
    call.sendMetadata(new Metadata({ unit: "ms" }));
    return call.send(7);
  }
  const { name } = call.decodeRequest() as { name: string };
  if (name === "Ada") return call.reply({ message: "Hello, Ada!" }, undefined, 1);
  if (name === "busy") return call.refuse(new RpcError("resource_exhausted", "full", { retryAfterMs: 100 }));
  call.fail(new RpcError("not_found", "no", { error: "unknown", data: { id: 5 } }), undefined, 1);
}

async function haveSession(): Promise<Line[]> {
  const lines: Line[] = [];
  const pair = await wirePair({ contract: Greeter, onCall: serve });
  // A relay in the middle hears both sides.
  const front = await pair.clock.runUntil(
    pair.network.host("middle").listen({}, (stream) => void relay(rawPeer(stream))),
  );
  async function relay(client: RawPeer): Promise<void> {
    const { signal } = new AbortController();
    const server = rawPeer(
      await pair.network.host("middle").connect(pair.listener.address, { signal, clock: pair.clock }),
    );
    const said = { C: 0, S: 0 };
    const pass = (from: "C" | "S", source: RawPeer, to: RawPeer): void => {
      const bytes = source.received().subarray(said[from]);
      said[from] += bytes.length;
      if (bytes.length === 0) return;
      to.send(bytes);
      for (const part of split(bytes)) lines.push([from, part.toString("hex")]);
    };
    const turn = (): void => {
      pass("C", client, server);
      pass("S", server, client);
      pair.clock.after(0.5, turn, { background: true });
    };
    turn();
  }

  const connection = pair.connect(front.address);
  const steps: (() => void)[] = [
    () => void connection.start(new RecordedCall(Greeter.methods.hello, { name: "Ada" }, pair.clock.now() + 500)),
    () => void connection.start(new RecordedCall(Greeter.methods.hello, { name: "Bob" })),
    () => void connection.start(new RecordedCall(Greeter.methods.hello, { name: "busy" })),
    () => {
      const stream = connection.start(new RecordedCall(Greeter.methods.count, 3));
      pair.clock.after(8, () => stream.cancel());
    },
    () => {
      const call = new RecordedCall(Greeter.methods.chat, undefined);
      call.metadata = new Metadata({ tenant: "t1" });
      const stream = connection.start(call);
      stream.send("hi");
      stream.endInput();
    },
    () => void pair.listener.drain(),
  ];
  await pair.clock.advance(10);
  for (const step of steps) {
    step();
    await pair.clock.advance(20);
  }
  return lines;
}

/** The preface's magic by itself, then frame by frame. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let pos = 0;
  if (bytes.subarray(0, 8).equals(magicBytes)) {
    parts.push(bytes.subarray(0, 8));
    pos = 8;
  }
  while (pos < bytes.length) {
    const next = pos + 4 + bytes.readUInt32LE(pos);
    parts.push(bytes.subarray(pos, next));
    pos = next;
  }
  return parts;
}

function documented(): Line[] {
  const page = readFileSync(new URL("../../../../docs/wire-protocol.md", import.meta.url), "utf8");
  const block = /```hex\n([^`]*)```/.exec(page)?.[1] ?? "";
  return block
    .split("\n")
    .filter((line) => /^[CS] /.test(line))
    .map((line) => [line.startsWith("C") ? "C" : "S", line.slice(2).replace(/#.*/, "").replaceAll(" ", "")] as const);
}

test("the session in the specification is what the two ends say, byte for byte", async () => {
  const lines = await haveSession();
  if (process.env["PIPIT_PRINT_SESSION"] !== undefined) {
    for (const [from, hex] of lines) console.log(`${from} ${hex}`);
  }
  assert.deepEqual(lines, documented());
});

test("the session in the specification shows every kind of frame but chunks, windows and pings", () => {
  const types = new Set(
    documented()
      .filter(([, hex]) => hex.length > 16)
      .flatMap(([, hex]) => framesOf(Buffer.from(hex, "hex")).map(({ type }) => type)),
  );
  assert.deepEqual(
    [...types].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 16, 17, 18],
  );
});
