import assert from "node:assert/strict";
import { test } from "node:test";
import { type Code, type Handled, type Idempotency, RpcError } from "@pipit/protocol";
import { borrowRetries, judgeRetry, lendRetries, type RetrySituation } from "./retry-policy.ts";

interface Case {
  readonly code: Code;
  readonly handled: Handled;
  readonly refused?: boolean;
  readonly retryAfterMs?: number;
  readonly declared?: boolean;
}

function judge(of: Case, idempotency: Idempotency, more: Partial<RetrySituation> = {}): string {
  const { code, handled, refused = false, retryAfterMs, declared = false } = of;
  const error = new RpcError(code, "x", { retryAfterMs, ...(declared ? { error: "closed" } : {}) });
  return judgeRetry({
    failure: { error, handled, refused, retriesReturned: 0 },
    idempotency,
    replayable: true,
    untried: false,
    unreachable: false,
    instance: { id: "a", generation: "1" },
    sharedStore: false,
    ...more,
  });
}

test("law 4, line by line", () => {
  const lost: Case = { code: "unavailable", handled: "maybe" };
  const down: Case = { code: "unavailable", handled: "yes" };
  const unsent: Case = { code: "unavailable", handled: "no" };
  const refused: Case = { code: "unimplemented", handled: "no", refused: true };
  const pushed: Case = { code: "resource_exhausted", handled: "yes", retryAfterMs: 5 };
  const full: Case = { code: "resource_exhausted", handled: "yes" };
  const table: [Case, Idempotency, string, Partial<RetrySituation>?][] = [
    [lost, "none", "no"],
    [lost, "safe", "again"],
    [lost, "idempotent", "again"],
    [lost, "once", "same instance"],
    [lost, "once", "no", { instance: undefined }],
    [lost, "once", "again", { sharedStore: true }],
    [down, "none", "no"],
    [down, "safe", "again"],
    [unsent, "none", "again"],
    [unsent, "none", "elsewhere", { untried: true }],
    [unsent, "none", "no", { unreachable: true }],
    [unsent, "none", "elsewhere", { unreachable: true, untried: true }],
    [refused, "none", "elsewhere", { untried: true }],
    [refused, "safe", "no"],
    [pushed, "safe", "again"],
    [pushed, "none", "no"],
    [full, "safe", "no"],
    [lost, "safe", "no", { replayable: false }],
    [unsent, "safe", "no", { replayable: false, untried: true }],
    [{ ...down, declared: true }, "safe", "no", { untried: true }],
  ];
  for (const [of, idempotency, expected, more] of table) {
    assert.equal(judge(of, idempotency, more), expected, JSON.stringify([of, idempotency, more]));
  }
});

test("no other code is ever sent again", () => {
  const others: Code[] = [
    "cancelled",
    "deadline_exceeded",
    "internal",
    "aborted",
    "not_found",
    "unknown",
    "data_loss",
    "invalid_argument",
  ];
  for (const code of others) {
    for (const handled of ["maybe", "yes"] as const)
      assert.equal(judge({ code, handled }, "safe", { untried: true }), "no");
  }
  assert.equal(judge({ code: "cancelled", handled: "no" }, "safe", { untried: true }), "no");
  assert.equal(judge({ code: "deadline_exceeded", handled: "no" }, "safe", { untried: true }), "no");
});

test("lending and borrowing conserve the retries of a tree", () => {
  for (let left = 0; left <= 10; left++) {
    assert.ok(lendRetries(left) + borrowRetries(left) === left);
    assert.ok(left === 0 || lendRetries(left) < left, "one is kept for a loss");
  }
});
