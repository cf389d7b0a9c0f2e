import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, read, sees, withCluster } from "./gossip-nodes.ts";

const timeout = 30_000;
const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

test("with keys, members talk, and one with another key hears and tells nothing but the mismatch", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const a = await cluster.add("a", { keys: [key(1)] });
    const b = await cluster.add("b", { keys: [key(1)] });
    await b.registry.register(greeter("b"));
    await sees(a.registry, "b up");
    const stranger = await cluster.add("s", { keys: [key(2)], joinTimeoutMs: 500 });
    await stranger.registry.register(greeter("s"));
    for (const { event } of [a, stranger]) assert.match((await event("keyMismatch")).from, /^127\.0\.0\.1:\d+$/);
    assert.equal(read(await stranger.registry.list("greeter")), "s up");
    assert.equal(read(await a.registry.list("greeter")), "b up");
  }),
);

test("keys rotate without losing anybody", { timeout }, (t) =>
  withCluster(t, async (cluster) => {
    const nodes = [await cluster.add("a", { keys: [key(1)] }), await cluster.add("b", { keys: [key(1)] })];
    await sees((nodes[0] as (typeof nodes)[number]).registry, "");
    for (const keys of [[key(1), key(2)], [key(2), key(1)], [key(2)]]) {
      for (const { registry } of nodes) await registry.setKeys(keys);
    }
    const c = await cluster.add("c", { keys: [key(2)] });
    await c.registry.register(greeter("c"));
    for (const { registry } of nodes) await sees(registry, "c up");
    for (const { events } of cluster.nodes) {
      assert.ok(events.every((event) => event.type !== "member" || event.member.state === "alive"));
    }
  }),
);
