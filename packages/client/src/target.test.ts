import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, parseTarget } from "./target.ts";

test("addresses of hosts, IPv6 and Unix sockets pass, alone and in lists without repeats", () => {
  for (const address of ["127.0.0.1:50051", "localhost:1", "[::1]:8080", "unix:/run/a.sock", "a.b-c:65535"]) {
    const target = parseTarget(address);
    assert.deepEqual(target, { type: "addresses", addresses: [address], text: address });
  }
  const list = parseTarget(["a:1", "b:2", "a:1"]);
  assert.deepEqual(list.type === "addresses" && list.addresses, ["a:1", "b:2"]);
});

test("what is no address is shown with what was wanted", () => {
  for (const address of ["", "host", ":1", "host:", "host:70000", "http://host:1", "a b:1"]) {
    assert.throws(() => parseTarget(address), { name: "TypeError", message: /expected "host:port"/ });
  }
  assert.throws(() => parseTarget([]), /at least one address/);
});

test("IPv6 hosts get brackets, whole addresses stay", () => {
  assert.equal(addressOf("::1", 80), "[::1]:80");
  assert.equal(addressOf("host", 80), "host:80");
  assert.equal(addressOf("unix:/a", 0), "unix:/a");
});
