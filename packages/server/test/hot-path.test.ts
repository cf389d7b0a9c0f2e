import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { test } from "node:test";
import { serverStream, service, unary } from "@pipit/protocol";
import { createServer } from "../src/index.ts";
import { ListeningTransport } from "./support/listening-transport.ts";

const Echo = service("server.Echo", {
  now: unary<string, string>(),
  later: unary<string, string>(),
  items: serverStream<number, number>(),
});

/** Promises, timers, immediates and the like that come into being while `fn` runs, by type. */
function made(fn: () => void): Record<string, number> {
  const counts: Record<string, number> = {};
  const hook = createHook({ init: (_id, type) => void (counts[type] = (counts[type] ?? 0) + 1) }).enable();
  const { AbortController: Original } = globalThis;
  globalThis.AbortController = class extends Original {
    constructor() {
      super();
      counts["AbortController"] = (counts["AbortController"] ?? 0) + 1;
    }
  };
  try {
    fn();
  } finally {
    globalThis.AbortController = Original;
    hook.disable();
  }
  return counts;
}

test("a plain result is answered before onCall returns, with no promise, timer or controller made", async () => {
  const transport = new ListeningTransport();
  const server = createServer().handle(Echo, { now: (text) => text, later: async (text) => text, *items() {} });
  await server.listen({ transport });
  transport.call(Echo.methods.now, "warm");
  const counts = made(() => {
    for (let index = 0; index < 100; index++) {
      const call = transport.call(Echo.methods.now, "a", { deadlineMs: 1e12 });
      if (call.replied !== "a") throw new Error("not answered at once");
    }
  });
  assert.deepEqual(counts, {});
  await server.close();
});

test("an asynchronous handler costs its own promise and one continuation; no controller unless it looks at its signal", async () => {
  const transport = new ListeningTransport();
  const server = createServer().handle(Echo, { now: (text) => text, later: async (text) => text, *items() {} });
  await server.listen({ transport });
  transport.call(Echo.methods.later, "warm", { deadlineMs: 1e12 });
  const counts = made(() => {
    for (let index = 0; index < 100; index++) transport.call(Echo.methods.later, "a", { deadlineMs: 1e12 });
  });
  assert.deepEqual(counts, { PROMISE: 200 });
  await server.close();
});

test("items of a synchronous iterable are sent with no promise each", async () => {
  const transport = new ListeningTransport();
  const server = createServer().handle(Echo, {
    now: (text) => text,
    later: (text) => text,
    *items(count) {
      for (let value = 0; value < count; value++) yield value;
    },
  });
  await server.listen({ transport });
  transport.call(Echo.methods.items, 1);
  let sent = 0;
  const counts = made(() => {
    sent = transport.call(Echo.methods.items, 1000).sent.length;
  });
  assert.equal(sent, 1000);
  assert.deepEqual(counts, {});
  await server.close();
});
