import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError, serverStream, service } from "@pipit/protocol";
import { ListeningTransport } from "../test/support/listening-transport.ts";
import { createServer } from "./create-server.ts";

const Feed = service("pump.Feed", { items: serverStream<string, number>() });

const cancelled = new RpcError("cancelled", "The caller cancelled the call");

/** Cancels a call whose iterator has a `next()` under way. Gives how many calls held a place then, and once `next()` has ended by `end`. */
async function placesHeld(
  back: (() => unknown) | undefined,
  end: (settle: PromiseWithEnds) => void,
): Promise<[meanwhile: number, afterwards: number]> {
  let ends: PromiseWithEnds | undefined;
  const next = (): Promise<IteratorResult<number>> => new Promise((resolve, reject) => (ends = { resolve, reject }));
  const iterator = { next, ...(back === undefined ? {} : { return: back }) } as AsyncIterator<number>;
  const server = createServer().handle(Feed, { items: () => ({ [Symbol.asyncIterator]: () => iterator }) });
  const transport = new ListeningTransport();
  await server.listen({ transport });
  const call = transport.call(Feed.methods.items, "");
  call.handler?.onCancel(cancelled);
  assert.equal(call.ended, "fail");
  await settled();
  const meanwhile = server.stats().inFlight;
  end(ends as PromiseWithEnds);
  await settled();
  const afterwards = server.stats().inFlight;
  assert.deepEqual(call.sent, []);
  await server.close();
  return [meanwhile, afterwards];
}

interface PromiseWithEnds {
  resolve(step: IteratorResult<number>): void;
  reject(error: Error): void;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test("an iterator without return() holds its call's place until its next() has ended, however that does", async () => {
  const ends: ((next: PromiseWithEnds) => void)[] = [
    ({ resolve }) => resolve({ value: 1, done: false }),
    ({ resolve }) => resolve({ value: undefined, done: true }),
    ({ reject }) => reject(new Error("no more")),
  ];
  for (const end of ends) assert.deepEqual(await placesHeld(undefined, end), [1, 0]);
});

test("an iterator with return() is taken at its word: its place is free when that is done", async () => {
  const stays = (): void => undefined;
  assert.deepEqual(await placesHeld(() => ({ value: undefined, done: true }), stays), [0, 0]);
  assert.deepEqual(await placesHeld(() => new Promise(() => undefined), stays), [1, 1]);
});
