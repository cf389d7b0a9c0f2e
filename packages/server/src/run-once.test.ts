import assert from "node:assert/strict";
import { test } from "node:test";
import { service, unary } from "@pipit/protocol";
import { ListeningTransport } from "../test/support/listening-transport.ts";
import { createServer } from "./create-server.ts";
import type { ReplyClaimRequest } from "./reply-store.ts";

const Orders = service("once.Orders", { place: unary<string, string>({ idempotency: "once" }) });

test("the room of a reply counts for its caller, and of anonymous ones for the host, whatever its port", async () => {
  const asked: [caller: string, owner: string][] = [];
  const claim = ({ caller, owner }: ReplyClaimRequest) => {
    asked.push([caller, owner]);
    return { type: "full", retryAfterMs: 1 } as const;
  };
  const server = createServer({ replyStore: { claim } }).handle(Orders, { place: () => assert.fail() });
  const transport = new ListeningTransport();
  await server.listen({ transport });
  const place = (address: string, identity: unknown): void => {
    const peer = { address, secure: true, local: false };
    transport.call(Orders.methods.place, "", { idempotencyKey: "k", peer, identity });
  };
  place("10.0.0.1:5000", "alice");
  place("10.0.0.1:5001", undefined);
  place("10.0.0.1:5002", undefined);
  place("[fd00::1]:5000", undefined);
  assert.deepEqual(asked, [
    ["alice", "alice"],
    ["", "10.0.0.1"],
    ["", "10.0.0.1"],
    ["", "[fd00::1]"],
  ]);
  await server.close();
});
