import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock, settled } from "../../test/fake-clock.ts";
import { JoinWait } from "./join-wait.ts";

/** What happens, by script: a number passes so many ms, "joined", "end" and "stop" are called. Then what was told, in order. */
const table: [law: string, script: (string | number)[], told: string][] = [
  ["nothing is told before its time", [2_999], ""],
  ["a wait that nobody ends is over in time, and says so", [3_000], "answered timeout ready"],
  ["and only once", [10_000, "end", "joined", 1_000], "answered timeout ready"],
  ["an answer lets registrations go on at once", ["joined"], "answered"],
  ["and shows what is known a little later", ["joined", 100], "answered ready"],
  ["an answer in time is no timeout", [2_999, "joined", 10_000], "answered ready"],
  ["an answer after the time changes nothing", [3_000, "joined", 10_000], "answered timeout ready"],
  ["there may be nothing to wait for", ["end", 10_000], "answered ready"],
  ["whoever closes lets the waiting go, and shows nothing", ["stop", 10_000, "end"], "answered"],
  ["also after an answer", ["joined", "stop", 10_000], "answered"],
  ["and waits for no more after an answer that comes late", ["stop", "joined"], "answered"],
];

test("a wait for the cluster ends with the first answer, or in time", async () => {
  for (const [law, script, wanted] of table) {
    const clock = fakeClock();
    const told: string[] = [];
    const wait = new JoinWait({
      clock,
      onReady: () => told.push("ready"),
      onTimeout: () => told.push("timeout"),
    });
    void wait.answered.then(() => told.unshift("answered"));
    wait.start(3_000);
    for (const step of script) {
      if (typeof step === "number") await clock.advance(step);
      else wait[step as "joined" | "end" | "stop"]();
      await settled();
    }
    assert.equal(told.join(" "), wanted, law);
    if (script.includes("stop")) assert.deepEqual(clock.due(), [], law);
  }
});
