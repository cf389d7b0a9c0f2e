import assert from "node:assert/strict";
import { test } from "node:test";
import { bidi, clientStream, oneway, serverStream, unary } from "./contract.ts";

test("only a unary method may be once: of a stream no reply is kept, and its handler would outlive a lost connection for good", () => {
  const options = { idempotency: "once" } as const;
  for (const [kind, make] of Object.entries({
    server_stream: serverStream,
    client_stream: clientStream,
    bidi,
    oneway,
  })) {
    const message = `Option idempotency: expected "once" on a unary method, got ${kind}`;
    assert.throws(() => (make as (given: object) => unknown)(options), { name: "TypeError", message });
  }
  assert.equal(unary(options).idempotency, "once");
});
