import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { test } from "node:test";
import { service, unary } from "@pipit/protocol";
import { createClient } from "../src/index.ts";
import { ScriptedTransport } from "./support/scripted-transport.ts";

const Echo = service("client.Echo", { plain: unary<string, string>() });

test("a call on a ready connection makes the caller's promise and nothing else", async () => {
  const transport = new ScriptedTransport();
  const client = createClient({ target: "host:1", transport });
  const echo = client.service(Echo);
  const warm = echo.plain("warm");
  const connection = transport.last;
  connection.ready();
  connection.answer("warm");
  await warm;
  const calls: Promise<string>[] = [];
  const counts: Record<string, number> = {};
  const hook = createHook({ init: (_id, type) => void (counts[type] = (counts[type] ?? 0) + 1) }).enable();
  for (let index = 0; index < 100; index++) calls.push(echo.plain("a"));
  for (let index = 0; index < 100; index++) connection.answer("b");
  hook.disable();
  // One tick for the clock of this turn, one timer that tells stalls.
  const { TickObject = 0, Timeout = 0, ...rest } = counts;
  assert.ok(TickObject <= 1 && Timeout <= 1, `${TickObject} ticks, ${Timeout} timers`);
  assert.deepEqual(rest, { PROMISE: 100 });
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["b"]));
  await client.close();
});
