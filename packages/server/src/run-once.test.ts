import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError, service, unary } from "@pipit/protocol";
import { ListeningTransport } from "../test/support/listening-transport.ts";
import { createServer } from "./create-server.ts";
import type { ReplyClaimRequest } from "./reply-store.ts";

const Orders = service("once.Orders", { place: unary<string, string>({ idempotency: "once" }) });

test("the room of a reply counts for its caller, and of anonymous ones for the host, whatever its port, and of IPv6 the network; no name is a host", async () => {
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
  place("10.0.0.2:5000", "10.0.0.1");
  place("10.0.0.1:5001", undefined);
  place("10.0.0.1:5002", undefined);
  place("[fd00::1]:5000", undefined);
  place("[fd00::2]:5000", undefined);
  place("[::ffff:10.0.0.1]:5000", undefined);
  assert.deepEqual(asked, [
    ["alice", "caller alice"],
    ["10.0.0.1", "caller 10.0.0.1"],
    ["", "host 10.0.0.1"],
    ["", "host 10.0.0.1"],
    ["", "host fd00:0:0:0::/64"],
    ["", "host fd00:0:0:0::/64"],
    ["", "host 10.0.0.1"],
  ]);
  await server.close();
});

test("a kept reply that cannot be sent is an error to its caller, each time, and its place is free", async () => {
  const reported: string[] = [];
  const server = createServer({ onError: (error) => void reported.push(String(error)) });
  server.handle(Orders, { place: () => "longer than the caller takes" });
  const transport = new ListeningTransport();
  await server.listen({ transport });
  const tooLong = (): never => {
    throw new RpcError("resource_exhausted", "Reply: too long");
  };
  for (let sending = 1; sending <= 2; sending++) {
    const call = transport.call(Orders.methods.place, "", { idempotencyKey: "k", reply: tooLong });
    assert.equal(call.ended, "fail");
    assert.equal(call.error?.code, "resource_exhausted");
    assert.equal(server.stats().inFlight, 0);
  }
  assert.equal(reported.length, 1);
  await server.close();
});

test("an error that the method does not declare is kept as code and message", async () => {
  const server = createServer().handle(Orders, {
    place: () => {
      throw new RpcError("not_found", "No such order", { error: "noOrder", data: { id: 7 } });
    },
  });
  const transport = new ListeningTransport();
  await server.listen({ transport });
  for (let sending = 1; sending <= 2; sending++) {
    const { error } = transport.call(Orders.methods.place, "", { idempotencyKey: "k" });
    assert.deepEqual([error?.code, error?.message], ["not_found", "No such order"]);
    assert.equal(server.stats().inFlight, 0);
  }
  await server.close();
});
