import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError } from "@pipit/protocol";
import { connectError, listenError, streamError } from "./node-error.ts";

const refused = withCode("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED");

test("a failed connect is unavailable, provably unsent, and names address and cause", () => {
  const error = connectError("db:1", refused);
  assert.deepEqual(
    [error.code, error.handled, error.cause, error.message],
    [
      "unavailable",
      "no",
      refused,
      "Cannot connect to db:1: the connection was refused: nobody listens there (ECONNREFUSED)",
    ],
  );
});

test("errors are known by their code, never by their text", () => {
  assert.equal(connectError("db:1", new Error("ECONNREFUSED")).message, "Cannot connect to db:1: ECONNREFUSED");
  assert.equal(connectError("db:1", withCode("gone", "EWHATEVER")).message, "Cannot connect to db:1: EWHATEVER");
  assert.equal(connectError("db:1", withCode("trick", "toString")).message, "Cannot connect to db:1: toString");
});

test("several attempts give each cause once", () => {
  const errors = [refused, withCode("", "ENETUNREACH"), refused];
  assert.equal(
    connectError("db:1", new AggregateError(errors)).message,
    "Cannot connect to db:1: the connection was refused: nobody listens there (ECONNREFUSED); the network is unreachable (ENETUNREACH)",
  );
});

test("an RpcError passes as it is", () => {
  const own = new RpcError("invalid_argument", "Address");
  assert.equal(connectError("db:1", own), own);
  assert.equal(streamError("db:1", own), own);
});

test("a broken stream is unavailable, and whether it was handled stays open", () => {
  const error = streamError("db:1", withCode("write EPIPE", "EPIPE"));
  assert.deepEqual(
    [error.code, error.handled, error.message],
    [
      "unavailable",
      undefined,
      "The connection to db:1 failed: the peer closed the connection while bytes were on their way to it (EPIPE)",
    ],
  );
});

test("a failed listen names the place and what to do about it", () => {
  const port = { address: "10.0.0.1:80", host: "10.0.0.1", port: 80, path: undefined };
  const path = { address: "unix:/run/x", host: "", port: 0, path: "/run/x" };
  for (const [place, code, rpcCode, why] of [
    [port, "EADDRINUSE", "already_exists", "port 80 is taken by another socket"],
    [path, "EADDRINUSE", "already_exists", "another process listens at that path"],
    [port, "EACCES", "permission_denied", "this process may not use port 80"],
    [path, "EACCES", "permission_denied", "this process may not create a socket there"],
    [port, "EADDRNOTAVAIL", "invalid_argument", "this machine has no address 10.0.0.1"],
    [port, "ENOTFOUND", "invalid_argument", "no host is called 10.0.0.1"],
    [path, "ENOENT", "invalid_argument", "its directory does not exist"],
    [port, "ETIMEDOUT", "unavailable", "the peer did not answer in time (ETIMEDOUT)"],
  ] as const) {
    const error = listenError(place, withCode("listen", code));
    assert.deepEqual([error.code, error.message], [rpcCode, `Cannot listen on ${place.address}: ${why}`]);
  }
});

function withCode(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
