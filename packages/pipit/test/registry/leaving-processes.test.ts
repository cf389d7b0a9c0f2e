import assert from "node:assert/strict";
import { test } from "node:test";
import { leaveUnderLoad } from "./leaving-processes.ts";

// The long run, with its times, is `npm run processes -w packages/pipit`.
test("processes that leave on SIGTERM under load fail no call, though none may be sent twice", {
  timeout: 120_000,
}, async () => {
  const { failures, retries, exitCodes } = await leaveUnderLoad(4, 2);
  assert.deepEqual([failures, retries, exitCodes], [[], 0, [0, 0]]);
});
