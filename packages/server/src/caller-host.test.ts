import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOf } from "./caller-host.ts";

const cases: readonly (readonly [address: string, host: string])[] = [
  ["10.0.0.1:5000", "10.0.0.1"],
  ["[2001:db8:1:2:aaaa:bbbb:cccc:dddd]:5000", "2001:db8:1:2::/64"],
  ["[2001:db8:1:2::1]:5001", "2001:db8:1:2::/64"],
  ["[2001:DB8:1:2::]:5001", "2001:db8:1:2::/64"],
  ["[2001:0db8:0001:0003::1]:5001", "2001:db8:1:3::/64"],
  ["[2001:db8::7]:5001", "2001:db8:0:0::/64"],
  ["[2001:db8::7:0:0:0:1]:5001", "2001:db8:0:7::/64"],
  ["[::1]:5000", "0:0:0:0::/64"],
  ["[::]:5000", "0:0:0:0::/64"],
  ["[fe80::1%eth0]:5000", "fe80:0:0:0::/64"],
  ["[::ffff:192.0.2.7]:5000", "192.0.2.7"],
  ["[::ffff:c000:207]:5000", "192.0.2.7"],
  ["[64:ff9b::192.0.2.7]:5000", "64:ff9b:0:0::/64"],
  ["unix:/run/x.sock", "unix"],
  ["client-3:1", "client-3"],
  ["[what]:1", "[what]"],
  ["[1:2:3]:1", "[1:2:3]"],
  ["[1:2:3:4:5:6:7:8:9]:1", "[1:2:3:4:5:6:7:8:9]"],
];

for (const [address, host] of cases) {
  test(`${address} calls from ${host}`, () => assert.equal(hostOf(address), host));
}
