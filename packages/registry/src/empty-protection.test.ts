import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { EmptyProtection } from "./empty-protection.ts";

/**
 * A script: "+abc" come, "-a" leaves, "xa" fails, "~a" drains, "5000" passes that many ms. Then what is live, and what is
 * stale.
 */
const table: [law: string, script: string, live: string, stale: string][] = [
  ["nothing known, nothing shown", "", "", ""],
  ["one failure of four is a failure", "+abcd xa", "bcd", ""],
  ["half of four is still a failure", "+abcd xa xb", "cd", ""],
  ["more than half of four is a loss of sight", "+abcd xa xb xc", "d", "abc"],
  ["all of four", "+abcd xa xb xc xd", "", "abcd"],
  ["the only one", "+a xa", "", "a"],
  ["one of two is not more than half", "+ab xa", "b", ""],
  ["failures a window apart are separate events", "+abcd xa 15000 xb 15000 xc", "d", ""],
  ["failures within one window are one event", "+abcd xa 7000 xb 7000 xc", "d", "abc"],
  ["the earliest failure has left the window", "+abcd xa 8000 xb 8000 xc", "d", "bc"],
  ["farewells are honoured", "+abcd -a -b -c -d", "", ""],
  ["a farewell after the loss is honoured", "+abcd xa xb xc xd -b", "", "acd"],
  ["farewells do not count as failures", "+abcdef -a -b -c xd", "ef", ""],
  ["a drained instance that fails has ended as announced", "+ab ~a ~b xa xb", "", ""],
  ["a draining instance is no live one", "+abc ~a xb xc", "a", "bc"],
  ["the one that returns is live again", "+abcd xa xb xc xd +a", "a", "bcd"],
  ["once half is back, the rest is dropped", "+abcd xa xb xc xd +ab", "ab", ""],
  ["others in their place end it too", "+abcd xa xb xc xd +efgh", "efgh", ""],
  ["stale ends after the hold", "+abcd xa xb xc xd 600000", "", ""],
  ["and not before", "+abcd xa xb xc xd 599999", "", "abcd"],
  ["each is held from its own failure", "+abcd xa xb xc 300000 xd 300000", "", "d"],
  ["a failure while holding is kept at once", "+abcde xa xb xc 60000 xd", "e", "abcd"],
  ["a failure of the unknown is nothing", "+ab xz xy xw", "ab", ""],
  ["failing twice is failing once", "+abcd xa xa xa", "bcd", ""],
];

test("empty protection keeps what most of a service lost at once, and honours farewells", () => {
  for (const [law, script, live, stale] of table) {
    const protection = new EmptyProtection<string>();
    play(protection, script);
    assert.deepEqual(shown(protection), { live, stale }, law);
  }
});

test("options move the window, the share and the hold", () => {
  const cases: [options: ConstructorParameters<typeof EmptyProtection>[0], script: string, stale: string][] = [
    [{ share: 1 }, "+ab xa xb", ""],
    [{ share: 0.2 }, "+abcd xa", "a"],
    [{ windowMs: 10 }, "+abc xa 10 xb", ""],
    [{ holdMs: 10 }, "+abc xa xb 9", "ab"],
    [{ holdMs: 10 }, "+abc xa xb 10", ""],
  ];
  for (const [options, script, stale] of cases) {
    const protection = new EmptyProtection<string>(options);
    play(protection, script);
    assert.equal(shown(protection).stale, stale, `${JSON.stringify(options)} ${script}`);
  }
});

test("expiring at the announced time always does something, and never later than the hold", () => {
  const step = fc.oneof(
    fc
      .tuple(fc.constantFrom("+", "-", "x", "~"), fc.constantFrom("a", "b", "c", "d", "e"))
      .map((pair) => pair.join("")),
    fc.integer({ min: 1, max: 20_000 }).map(String),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const protection = new EmptyProtection<string>();
      let nowMs = play(protection, steps.join(" "));
      const endMs = nowMs + 600_000;
      for (let atMs = protection.nextExpiryMs; atMs !== undefined; atMs = protection.nextExpiryMs) {
        assert.ok(atMs > nowMs && atMs <= endMs, `next expiry at ${atMs}, now ${nowMs}`);
        nowMs = atMs;
        protection.expire(nowMs);
      }
      assert.equal(shown(protection).stale, "");
    }),
  );
});

function play(protection: EmptyProtection<string>, script: string): number {
  let nowMs = 0;
  for (const step of script.split(" ")) {
    const [kind, ...ids] = step;
    if (kind === "+") for (const id of ids) protection.put(id, id, false, nowMs);
    else if (kind === "~") for (const id of ids) protection.put(id, id, true, nowMs);
    else if (kind === "-") for (const id of ids) protection.leave(id, nowMs);
    else if (kind === "x") for (const id of ids) protection.fail(id, nowMs);
    else {
      nowMs += Number(step);
      protection.expire(nowMs);
    }
  }
  return nowMs;
}

function shown(protection: EmptyProtection<string>): { live: string; stale: string } {
  const join = (entries: Iterable<[string, ...unknown[]]>): string =>
    [...entries]
      .map(([id]) => id)
      .sort()
      .join("");
  return { live: join(protection.live()), stale: join(protection.stale()) };
}
