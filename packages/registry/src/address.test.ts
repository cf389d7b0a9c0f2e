import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpPort } from "./address.ts";

test("only an IP address with a port can be dialled", () => {
  const table: [text: string, found: [host: string, port: number] | undefined][] = [
    ["127.0.0.1:80", ["127.0.0.1", 80]],
    ["[::1]:65535", ["::1", 65_535]],
    ["::1:80", ["::1", 80]],
    ["", undefined],
    [":80", undefined],
    ["127.0.0.1", undefined],
    ["127.0.0.1:", undefined],
    ["127.0.0.1:0", undefined],
    ["127.0.0.1:65536", undefined],
    ["127.0.0.1:1.5", undefined],
    ["127.0.0.1:x", undefined],
    ["localhost:80", undefined],
    ["[::1:80", undefined],
    ["[127.0.0.1]80", undefined],
    ["unix:/run/a.sock", undefined],
  ];
  for (const [text, found] of table) {
    const { host, port } = parseIpPort(text) ?? {};
    assert.deepEqual(found === undefined ? host : [host, port], found, text);
  }
});
