import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outcome, roundRobin } from "@pipit/balancer";
import { type Clock, serverStream, service, unary } from "@pipit/protocol";
import { seededRandom, virtualClock } from "@pipit/simulation";
import { createClient, type RouteEndpoint } from "../src/index.ts";
import { ScriptedTransport } from "./support/scripted-transport.ts";

const { get, watch } = service("client.Timed", {
  get: unary<string, string>({ idempotency: "safe" }),
  watch: serverStream<string, string>(),
}).methods;

/** A client whose balancer notes what it is told, on a clock that can stand still and then jump. */
function rig() {
  const virtual = virtualClock(1000);
  let skewMs = 0;
  const clock: Clock = { ...virtual, now: () => virtual.now() + skewMs };
  const transport = new ScriptedTransport();
  const outcomes: Outcome[] = [];
  const client = createClient({
    target: "host:1",
    clock,
    random: seededRandom(1),
    transport,
    balancer({ now, random }) {
      const inner = roundRobin<RouteEndpoint>({ now, random });
      return {
        update: (endpoints) => inner.update(endpoints),
        pick(request) {
          const pick = inner.pick(request);
          return (
            pick && { endpoint: pick.endpoint, tier: pick.tier, done: (outcome) => void outcomes.push({ ...outcome }) }
          );
        },
      };
    },
  });
  const call = async (during: () => unknown): Promise<Outcome | undefined> => {
    const reply = client.call(get, "a");
    await during();
    transport.last.answer("b");
    await virtual.runUntil(reply);
    return outcomes.at(-1);
  };
  return { virtual, transport, client, outcomes, call, stall: (ms: number) => void (skewMs += ms) };
}

test("a call sent while the connection was being made tells how it ended and not how long it took", async () => {
  const { virtual, transport, call } = rig();
  const first = await call(async () => {
    await virtual.advance(400);
    transport.last.ready();
  });
  assert.deepEqual([first?.result, first?.untimed], ["ok", true]);
  const second = await call(() => virtual.advance(20));
  assert.deepEqual([second?.result, second?.untimed, second?.elapsedMs], ["ok", false, 20]);
});

test("what the client itself stood still is not held against the endpoint; what the endpoint takes is", async () => {
  const { virtual, transport, call, stall } = rig();
  await call(() => transport.last.ready());
  const slow = await call(() => virtual.advance(300));
  assert.equal(slow?.elapsedMs, 300);
  const stalled = await call(async () => {
    await virtual.advance(20);
    stall(300);
  });
  assert.ok(stalled !== undefined && stalled.elapsedMs >= 15 && stalled.elapsedMs <= 30, `${stalled?.elapsedMs}`);
});

test("how long a stream lasts is its reader's affair, and says nothing of the endpoint", async () => {
  const { virtual, transport, client, outcomes, call } = rig();
  await call(() => transport.last.ready());
  const items = client.call(watch, "a")[Symbol.asyncIterator]();
  const first = items.next();
  transport.last.calls[0]?.onAccepted();
  await virtual.advance(60_000);
  transport.last.answer(undefined);
  assert.equal((await virtual.runUntil(first)).done, true);
  assert.deepEqual(
    outcomes.map(({ result, untimed }) => [result, untimed]),
    [
      ["ok", true],
      ["ok", true],
    ],
  );
});
