import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./system-clock.ts";

test("a timer of more than 2^31 ms waits, where Node's own would run at once", async () => {
  const warnings: unknown[] = [];
  const listen = (warning: unknown): void => void warnings.push(warning);
  process.on("warning", listen);
  let ran = false;
  const cancel = systemClock.after(40 * 24 * 3600 * 1000, () => (ran = true));
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  cancel();
  cancel();
  process.removeListener("warning", listen);
  assert.deepEqual([ran, warnings], [false, []]);
});
