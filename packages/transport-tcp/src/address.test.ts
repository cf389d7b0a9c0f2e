import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, isLoopback, parseAddress, plainIp } from "./address.ts";

test("host:port, [v6]:port and unix:/path are read", () => {
  for (const [address, parsed] of [
    ["127.0.0.1:50051", { type: "tcp", host: "127.0.0.1", port: 50_051 }],
    ["orders.internal:1", { type: "tcp", host: "orders.internal", port: 1 }],
    ["[::1]:65535", { type: "tcp", host: "::1", port: 65_535 }],
    ["[fe80::1%eth0]:80", { type: "tcp", host: "fe80::1%eth0", port: 80 }],
    ["unix:/run/pipit.sock", { type: "unix", path: "/run/pipit.sock" }],
    ["unix:relative:with:colons", { type: "unix", path: "relative:with:colons" }],
  ] as const) {
    assert.deepEqual(parseAddress(address), parsed);
  }
});

test("anything else is invalid_argument, shown with what was wanted", () => {
  for (const [address, wanted] of [
    ["", "host:port, [v6]:port or unix:/path"],
    ["localhost", "host:port, [v6]:port or unix:/path"],
    [":50051", "host:port, [v6]:port or unix:/path"],
    ["localhost:", "a port between 1 and 65535 after the last colon"],
    ["localhost:0", "a port between 1 and 65535 after the last colon"],
    ["localhost:65536", "a port between 1 and 65535 after the last colon"],
    ["localhost:1e3", "a port between 1 and 65535 after the last colon"],
    ["localhost: 80", "a port between 1 and 65535 after the last colon"],
    ["::1:50051", "brackets around an IPv6 address, as in [::1]:50051"],
    ["[localhost]:50051", "an IPv6 address between the brackets"],
    ["http://localhost:50051", "a host name or IP address, without a scheme, user or path"],
    ["user@localhost:50051", "a host name or IP address, without a scheme, user or path"],
    ["unix:", "a path after unix:"],
  ] as const) {
    assert.throws(() => parseAddress(address), {
      code: "invalid_argument",
      message: `Address ${JSON.stringify(address)}: expected ${wanted}`,
    });
  }
});

test("what is formatted is read back", () => {
  assert.equal(formatAddress("10.0.0.1", 80), "10.0.0.1:80");
  assert.equal(formatAddress("::1", 80), "[::1]:80");
  assert.deepEqual(parseAddress(formatAddress("::1", 80)), { type: "tcp", host: "::1", port: 80 });
});

test("an IPv4 address of a dual-stack socket is shown as IPv4", () => {
  assert.equal(plainIp("::ffff:10.0.0.1"), "10.0.0.1");
  assert.equal(plainIp("::1"), "::1");
});

test("loopback is 127.0.0.0/8 and ::1, also as a dual-stack socket shows it", () => {
  for (const ip of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) assert.equal(isLoopback(ip), true, ip);
  for (const ip of ["10.0.0.1", "::2", "::ffff:10.0.0.1", "1127.0.0.1"]) assert.equal(isLoopback(ip), false, ip);
});
