import assert from "node:assert/strict";
import { test } from "node:test";
import { FloodGuard } from "./flood-guard.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/** Control frames read before the fault, of at most `most`. */
function readUntilFault(guard: FloodGuard, most: number): number {
  for (let count = 0; count < most; count++) {
    try {
      guard.countControl();
    } catch (error) {
      assert.ok(error instanceof ProtocolFault);
      return count;
    }
  }
  return most;
}

const cases: readonly [work: number, allowed: number][] = [
  [0, 10_000],
  [1, 10_100],
  [50, 15_000],
];

for (const [work, allowed] of cases) {
  test(`a peer that asks for ${work} pieces of work may send ${allowed} control frames, and no more`, () => {
    const guard = new FloodGuard({ maxControlFramesPerCall: 100 });
    guard.countWork(work);
    assert.equal(readUntilFault(guard, 20_000), allowed);
  });
}

test("work that is asked for later makes room again", () => {
  const guard = new FloodGuard({ maxControlFramesPerCall: 3 });
  assert.equal(readUntilFault(guard, 10_000), 10_000);
  guard.countWork();
  assert.equal(readUntilFault(guard, 20_000), 3);
});
