import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Inspected } from "../contracts/index.ts";
import { Forwarder } from "./forwarder.ts";

function measurement(sequence: number): Inspected {
  return { station: "a", sequence, value: 0, time: new Date(0), verdict: "ok" };
}

test("one call at a time per characteristic, in order; characteristics do not wait for each other", async () => {
  const calls: { readonly name: string; readonly sequences: number[]; readonly end: () => void }[] = [];
  const forwarder = new Forwarder(
    (name, batch) =>
      new Promise<void>((end) => {
        calls.push({ name, sequences: batch.map(({ sequence }) => sequence), end });
      }),
  );
  await forwarder.add("a", measurement(1));
  await forwarder.add("a", measurement(2));
  await forwarder.add("b", measurement(3));
  await forwarder.add("a", measurement(4));
  assert.deepEqual(
    calls.map(({ name, sequences }) => [name, sequences]),
    [
      ["a", [1]],
      ["b", [3]],
    ],
  );
  calls[0]?.end();
  await turn();
  assert.deepEqual([calls[2]?.name, calls[2]?.sequences], ["a", [2, 4]]);
  let flushed = false;
  const flushing = forwarder.flush().then(() => {
    flushed = true;
  });
  calls[1]?.end();
  await turn();
  assert.equal(flushed, false);
  calls[2]?.end();
  await flushing;
});

test("when charts are slow, the stream is read no further than the bound", async () => {
  let release: (() => void) | undefined;
  const forwarder = new Forwarder(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  let taken = 0;
  const reading = (async () => {
    for (; taken < 5000; taken++) await forwarder.add("a", measurement(taken + 1));
  })();
  for (let i = 0; i < 100; i++) await turn();
  assert.equal(taken, 1999);
  const draining = setInterval(() => release?.(), 1);
  await reading;
  await forwarder.flush();
  clearInterval(draining);
});

test("after a failure nothing later is recorded, and the stream ends with it", async () => {
  const recorded: number[] = [];
  const forwarder = new Forwarder(async (_name, batch) => {
    if (batch[0]?.sequence === 2) throw new Error("lost");
    recorded.push(...batch.map(({ sequence }) => sequence));
  });
  await forwarder.add("a", measurement(1));
  await turn();
  await forwarder.add("a", measurement(2));
  await turn();
  await assert.rejects(forwarder.add("a", measurement(3)), /lost/);
  await assert.rejects(forwarder.flush(), /lost/);
  assert.deepEqual(recorded, [1]);
});
