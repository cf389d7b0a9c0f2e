import assert from "node:assert/strict";
import { test } from "node:test";
import { service, unary } from "@pipit/protocol";
import { HandlerTable } from "./handler-table.ts";

const Echo = service("test.Echo", { say: unary<string, string>(), ask: unary<string, string>() });

test("a class instance serves with its own this, and may have helpers and state", () => {
  class Echoing {
    readonly mark = "!";
    say(text: string): string {
      return this.decorate(text);
    }
    decorate(text: string): string {
      return text + this.mark;
    }
  }
  const table = new HandlerTable();
  table.add(Echo, new Echoing());
  assert.equal(table.entryOf(Echo.methods.say)?.handler("a", undefined as never), "a!");
  assert.equal(table.lookup("test.Echo", "ask"), undefined);
  assert.equal(table.lookup("test.Echo", "decorate"), undefined);
});

test("twice the same service, a member too many, and a member that is no function are named", () => {
  const table = new HandlerTable();
  table.add(Echo, {});
  assert.throws(() => table.add(Echo, {}), /"test.Echo" twice/);
  assert.throws(
    () => new HandlerTable().add(Echo, { sya: () => "" }),
    /"sya" is no method of service "test.Echo", which has say, ask/,
  );
  assert.throws(() => new HandlerTable().add(Echo, { say: 3 }), /expected a function, got number/);
});

test("names of Object.prototype are no methods", () => {
  const table = new HandlerTable();
  table.add(Echo, { say: () => "" });
  for (const name of ["toString", "constructor", "__proto__"]) assert.equal(table.lookup("test.Echo", name), undefined);
});
