import assert from "node:assert/strict";
import { test } from "node:test";
import { service, unary } from "@pipit/protocol";
import type { SimulatedLink } from "@pipit/simulation";
import { RecordedCall } from "../support/recorded-call.ts";
import { type WirePair, wirePair } from "../support/wire-pair.ts";

/* What one turn of the event loop writes, and when it leaves. */

const Turns = service("turns.Turns", { echo: unary<string, string>() });

/** More of them than a part holds, and fewer. */
const many = 400;
const few = 20;

interface Ready extends WirePair {
  readonly link: SimulatedLink;
  start(count: number): RecordedCall[];
}

async function ready(): Promise<Ready> {
  let opened: SimulatedLink | undefined;
  const pair = await wirePair({
    contract: Turns,
    onLink: (link) => (opened = link),
    onCall: (call) => call.reply(call.decodeRequest(), undefined, 1),
  });
  const start = (count: number): RecordedCall[] =>
    Array.from({ length: count }, (_, index) => {
      const call = new RecordedCall(Turns.methods.echo, `call ${index}`);
      pair.connection.start(call);
      return call;
    });
  start(1);
  await pair.clock.advance(100);
  return { ...pair, link: opened as SimulatedLink, start };
}

test("a turn of few calls leaves in one piece at its end, and one of many begins to leave before", async () => {
  const { link, start, clock } = await ready();
  const before = link.sentBytes("toServer");
  const calls = start(few);
  assert.equal(link.sentBytes("toServer"), before, "few calls wait for the end of the turn");
  await clock.advance(100);
  calls.push(...start(many));
  assert.ok(link.sentBytes("toServer") > before + 2048, "the first part of many has left");
  await clock.advance(100);
  for (const [index, { end }] of calls.entries()) {
    assert.deepEqual(end?.type === "reply" && end.reply, `call ${index < few ? index : index - few}`);
  }
});

test("of a turn that is cut, calls whose part had left may have run, and the others have not", async () => {
  const { connection, start } = await ready();
  const calls = start(many);
  connection.destroy();
  const handled = calls.map(({ end }) => (end?.type === "failure" ? end.failure.handled : "answered"));
  const unsent = handled.indexOf("no");
  assert.ok(unsent > 0, `the first call that was not sent is ${unsent}`);
  assert.deepEqual(new Set(handled.slice(0, unsent)), new Set(["maybe"]));
  assert.deepEqual(new Set(handled.slice(unsent)), new Set(["no"]));
});
