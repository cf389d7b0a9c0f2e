import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import type { ClientOptions } from "pipit";
import { roundRobin } from "pipit/balancer";
import { Probe } from "../support/contracts.ts";
import { type World, worlds } from "../support/world.ts";

const serviceMs = 20;
const callsPerSecond = 300;

interface Phase {
  readonly p99Ms: number;
  /** Share of the calls that the first server answered. */
  readonly share: number;
}

/** Ten servers, of which the first can be made slow, and a client on a clock that stands still and jumps when told. */
async function rig(world: World, options: Omit<ClientOptions, "target"> = {}) {
  let slowness = 1;
  let skewMs = 0;
  const addresses: string[] = [];
  for (let index = 0; index < 10; index++) {
    const takesMs = (): number => (index === 0 ? serviceMs * slowness : serviceMs);
    const safe = (): Promise<{ text: string }> =>
      new Promise((resolve) => world.clock.after(takesMs(), () => resolve({ text: String(index) })));
    addresses.push(await world.listen(world.server().handle(Probe, { safe } as never)));
  }
  const clock: Clock = { ...world.clock, now: () => world.clock.now() + skewMs };
  const client = world.client(addresses, { clock, ...options });
  /** Calls at a steady rate for so long, and then lets them end. */
  const phase = async (ms: number): Promise<Phase> => {
    const latenciesMs: number[] = [];
    let toFirst = 0;
    const calls: Promise<void>[] = [];
    for (let passedMs = 0; passedMs < ms; passedMs += 1000 / callsPerSecond) {
      const startedMs = world.clock.now();
      const ended = ({ text }: { text: string }): void => {
        latenciesMs.push(world.clock.now() - startedMs);
        if (text === "0") toFirst++;
      };
      calls.push(client.call(Probe.methods.safe, { text: "" }).then(ended));
      await world.pass(1000 / callsPerSecond);
    }
    await world.run(Promise.all(calls));
    latenciesMs.sort((a, b) => a - b);
    return { p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0, share: toFirst / latenciesMs.length };
  };
  /** The client stands still with calls in flight: their replies are read late. */
  const stall = async (ms: number): Promise<void> => {
    const calls = Array.from({ length: 30 }, () => client.call(Probe.methods.safe, { text: "" }));
    await world.pass(5);
    skewMs += ms;
    await world.run(Promise.all(calls));
  };
  return { phase, stall, slowDown: (times: number) => void (slowness = times) };
}

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  // Its own clock moves the bytes; the memory transport would take that of the client.
  const make = worlds["simulated network"];
  assert.ok(make !== undefined);
  const world = make();
  try {
    await body(world);
  } finally {
    await world.end();
  }
}

test("one of ten 10× slow: p99 is ≤ 1.3× of none slow, from the first second of a client that stalls", async () => {
  await inWorld(async (world) => {
    const { phase, stall, slowDown } = await rig(world);
    await phase(1000);
    const well = await phase(3000);
    slowDown(10);
    await phase(500);
    for (let round = 0; round < 3; round++) {
      await stall(400);
      const ill = await phase(1500);
      assert.ok(ill.p99Ms <= 1.3 * well.p99Ms, `p99 ${ill.p99Ms} against ${well.p99Ms} ms`);
      assert.ok(ill.share < 0.01, `${ill.share} of the calls went to the slow one`);
    }
  });
});

test("control: round robin is ≥ 5× as slow", async () => {
  await inWorld(async (world) => {
    const { phase, slowDown } = await rig(world, { balancer: ({ now, random }) => roundRobin({ now, random }) });
    const well = await phase(2000);
    slowDown(10);
    const ill = await phase(2000);
    assert.ok(ill.p99Ms >= 5 * well.p99Ms && ill.share > 0.09, `p99 ${ill.p99Ms} against ${well.p99Ms} ms`);
  });
});
