import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAction } from "./actions.ts";

test("an action is taken with its fields and nothing else", () => {
  const taken = [
    { type: "crash", instance: "charts-1" },
    { type: "revive", instance: "charts-1" },
    { type: "add", service: "charts" },
    { type: "assignTicket", ticket: 3, assignee: "Ada" },
    { type: "closeTicket", ticket: 3, resolution: "Tool changed" },
  ];
  for (const action of taken) assert.deepEqual(parseAction(JSON.stringify({ ...action, more: 1 })), action);
  assert.deepEqual(parseAction('{"type":"playTour"}'), { type: "playTour", instance: undefined });
});

test("what is no action is refused in words", () => {
  const refused: readonly (readonly [body: string, words: RegExp])[] = [
    ["", /expected JSON/],
    ["[", /expected JSON/],
    ["null", /expected an object/],
    ["{}", /Unknown action undefined/],
    ['{"type":"explode"}', /Unknown action "explode"/],
    ['{"type":"crash"}', /Cannot crash: expected "instance", a text of 1 to 200 characters/],
    ['{"type":"crash","instance":""}', /expected "instance"/],
    [JSON.stringify({ type: "crash", instance: "x".repeat(201) }), /expected "instance"/],
    ['{"type":"assignTicket","ticket":"3","assignee":"Ada"}', /Cannot assignTicket: expected "ticket", its number/],
    ['{"type":"assignTicket","ticket":3}', /expected "assignee"/],
    ['{"type":"closeTicket","ticket":1.5,"resolution":"x"}', /expected "ticket"/],
  ];
  for (const [body, words] of refused) {
    const parsed = parseAction(body);
    assert.ok("error" in parsed && words.test(parsed.error), JSON.stringify(parsed));
  }
});
