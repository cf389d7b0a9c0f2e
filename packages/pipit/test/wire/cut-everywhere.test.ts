import assert from "node:assert/strict";
import { test } from "node:test";
import { bidi, type IncomingCall, oneway, serverStream, service, unary } from "@pipit/protocol";
import type { Direction } from "@pipit/simulation";
import { RecordedCall } from "../support/recorded-call.ts";
import { type WirePair, wirePair } from "../support/wire-pair.ts";

/*
 * One session with a call of each kind, reset after every single byte in either direction. Whatever byte it is, each
 * call must settle exactly once, and `handled` must never say "no" of a call whose handler ran.
 */

const Any = service("any.Any", { echo: unary(), items: serverStream(), chat: bidi(), note: oneway(), long: unary() });
const longText = "long ".repeat(30_000);

interface Run {
  readonly calls: readonly RecordedCall[];
  readonly served: ReadonlySet<unknown>;
  readonly pair: WirePair;
}

function serve(call: IncomingCall, served: Set<unknown>): void {
  const { kind, name } = call.method;
  if (kind === "bidi") {
    call.accept();
    call.handler = {
      onItem(item, bytes) {
        served.add("chat");
        call.release(bytes);
        call.send(item);
      },
      onInputEnd: () => call.end(undefined, 2),
      onCancel() {},
      onWritable() {},
    };
    return;
  }
  served.add(name);
  const request = call.decodeRequest();
  if (kind === "oneway") return call.end(undefined, 2);
  if (kind === "unary") return call.reply(name === "long" ? longText : request, undefined, 2);
  call.accept();
  for (let i = 0; i < 3; i++) call.send(i);
  call.end(undefined, 2);
}

async function run(cut?: { readonly direction: Direction; readonly afterBytes: number }): Promise<Run> {
  const served = new Set<unknown>();
  const pair = await wirePair({
    contract: Any,
    onCall: (call) => serve(call, served),
    onLink: (link) => cut !== undefined && link.cutAfterBytes(cut.direction, cut.afterBytes),
  });
  const calls = [
    new RecordedCall(Any.methods.echo, "hello"),
    new RecordedCall(Any.methods.items, "from"),
    new RecordedCall(Any.methods.note, "note"),
    new RecordedCall(Any.methods.long, longText),
  ];
  for (const call of calls) pair.connection.start(call);
  const chat = new RecordedCall(Any.methods.chat, undefined);
  const stream = pair.connection.start(chat);
  chat.onEvent = (event) => {
    if (event.type === "accepted") stream.send("a");
    if (event.type === "item") stream.endInput();
  };
  await pair.clock.advance(20_000);
  return { calls: [...calls, chat], served, pair };
}

const whole = await run();
const [link] = whole.pair.network.links;
const totals = { toServer: link?.sentBytes("toServer") ?? 0, toClient: link?.sentBytes("toClient") ?? 0 };

test("the session that is cut runs whole when it is not", () => {
  assert.deepEqual(
    whole.calls.map(({ end }) => end?.type),
    ["reply", "reply", "reply", "reply", "reply"],
  );
  assert.ok(totals.toServer > 150_000 && totals.toClient > 150_000);
});

/** Every byte of the frames, and every 977th inside the long message. */
function* positions(total: number): Generator<number> {
  const dense = 700;
  for (let at = 0; at < total; at += at < dense || at > total - dense ? 1 : 977) yield at;
}

for (const direction of ["toServer", "toClient"] as const) {
  test(`a reset after any byte ${direction} settles every call exactly once, and never calls a handled one unhandled`, async () => {
    for (const afterBytes of positions(totals[direction])) {
      const { calls, served, pair } = await run({ direction, afterBytes });
      for (const call of calls) {
        const { end } = call;
        const where = `${call.method.name}, cut after ${afterBytes} bytes ${direction}`;
        assert.ok(end !== undefined, `${where}: pending`);
        if (end.type === "failure" && served.has(call.method.name)) {
          assert.notEqual(end.failure.handled, "no", `${where}: it ran`);
        }
      }
      assert.equal(pair.connection.state, "closed");
      assert.equal(pair.connection.openCalls, 0);
    }
  });
}
