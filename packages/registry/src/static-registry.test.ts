import assert from "node:assert/strict";
import { test } from "node:test";
import { registrySuite, suiteService } from "../test/registry-suite.ts";
import { staticRegistry } from "./static-registry.ts";

registrySuite("staticRegistry", {
  readOnly: true,
  constant: true,
  open: async () => ({
    serve: () => Promise.reject(new Error("a static registry never changes")),
    registry: staticRegistry({
      [suiteService]: [
        { id: "b", host: "h", port: 1 },
        { id: "a", host: "h", port: 2 },
      ],
    }),
  }),
});

test("a static instance is named by its address unless it says otherwise", async () => {
  const registry = staticRegistry({
    greeter: [
      "h:1",
      "[::1]:2",
      "unix:/run/a.sock",
      { host: "::2", port: 3, weight: 2 },
      { id: "x", host: "h", port: 4 },
    ],
  });
  const { instances } = await registry.list("greeter");
  assert.deepEqual(
    instances.map(({ id, host, port, weight }) => [id, host, port, weight]),
    [
      ["[::1]:2", "::1", 2, 1],
      ["[::2]:3", "::2", 3, 2],
      ["h:1", "h", 1, 1],
      ["unix:/run/a.sock", "unix:/run/a.sock", 0, 1],
      ["x", "h", 4, 1],
    ],
  );
});

test("a malformed static address is refused when the registry is made", () => {
  for (const text of ["", "h", "h:", ":1", "h:65536", "::1:5", "[::1]", "unix:"]) {
    assert.throws(() => staticRegistry({ greeter: [text] }), /Cannot parse address/, text);
  }
  assert.throws(() => staticRegistry({ greeter: ["h:1", "h:1"] }), /"greeter" names "h:1" twice/);
});
