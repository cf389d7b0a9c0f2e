import assert from "node:assert/strict";
import { test } from "node:test";
import { createInstance } from "../instance.ts";
import { encodeInstance, InstanceRecordError, instanceKey } from "./instance-record.ts";
import { ServiceView } from "./service-view.ts";

test("records become instances of their service, and say whether they drain", () => {
  const view = new ServiceView();
  put(view, "node1", "a");
  put(view, "node1", "b", { draining: true });
  put(view, "node2", "c", { service: "other" });
  assert.deepEqual(view.takeChanged(), ["greeter", "other"]);
  assert.deepEqual(view.takeChanged(), []);
  assert.deepEqual(show(view), ["a up", "b draining"]);
  assert.deepEqual(show(view, "other"), ["c up"]);
});

test("a suspected member's instances are suspect until it is heard", () => {
  const view = new ServiceView();
  put(view, "node1", "a");
  put(view, "node2", "b");
  view.takeChanged();
  view.member("node1", "suspect");
  assert.deepEqual(view.takeChanged(), ["greeter"]);
  assert.deepEqual(show(view), ["a suspect", "b up"]);
  view.member("node1", "suspect");
  assert.deepEqual(view.takeChanged(), []);
  view.member("node1", "alive");
  assert.deepEqual(show(view), ["a up", "b up"]);
});

test("an instance that did not change is the same object in the next view", () => {
  const view = new ServiceView();
  put(view, "node1", "a");
  const [before] = view.instances("greeter");
  put(view, "node2", "b");
  assert.equal(
    view.instances("greeter").find(({ id }) => id === "a"),
    before,
  );
});

test("an instance that moved to another member shows once, the newer", () => {
  for (const order of [
    [1, 2],
    [2, 1],
  ]) {
    const view = new ServiceView();
    for (const generation of order) put(view, `node${generation}`, "a", { generation });
    assert.deepEqual(
      view.instances("greeter").map(({ generation }) => generation),
      [2],
    );
  }
});

test("a live instance hides its stale double, whatever their generations", () => {
  const view = new ServiceView();
  put(view, "node1", "a", { generation: 9 });
  fail(view, "node1", "a");
  assert.deepEqual(show(view), ["a stale"]);
  put(view, "node2", "a", { generation: 1, draining: true });
  assert.deepEqual(show(view), ["a draining"]);
});

test("stale instances end when their time is over, and nothing is remembered then", () => {
  const view = new ServiceView({ holdMs: 1_000 });
  put(view, "node1", "a");
  assert.equal(view.nextExpiryMs, undefined);
  fail(view, "node1", "a");
  assert.equal(view.nextExpiryMs, 1_000);
  view.takeChanged();
  view.expire(999);
  assert.deepEqual(view.takeChanged(), []);
  view.expire(1_000);
  assert.deepEqual(view.takeChanged(), ["greeter"]);
  assert.deepEqual([show(view), view.nextExpiryMs], [[], undefined]);
});

test("a stale instance whose owner says farewell after all is dropped", () => {
  const view = new ServiceView();
  put(view, "node1", "a");
  fail(view, "node1", "a");
  view.remove("node1", instanceKey("greeter", "a"), "left", 0);
  assert.deepEqual(show(view), []);
});

test("lost sight shows everything as stale", () => {
  const view = new ServiceView();
  put(view, "node1", "a");
  view.takeChanged();
  view.loseSight();
  assert.deepEqual(view.takeChanged(), ["greeter"]);
  assert.deepEqual(show(view), ["a stale"]);
});

test("the members behind an instance are found by its id, across services", () => {
  const view = new ServiceView();
  put(view, "node1", "a/1");
  put(view, "node1", "a/1", { service: "other" });
  put(view, "node2", "1");
  assert.deepEqual(view.ownersOf("a/1"), ["node1"]);
  assert.deepEqual(view.ownersOf("1"), ["node2"]);
  assert.deepEqual(view.ownersOf("2"), []);
});

test("a record that makes no sense changes nothing", () => {
  const view = new ServiceView();
  assert.throws(() => view.put("node1", 1, "greeter/a", new Uint8Array(3), 0), InstanceRecordError);
  view.remove("node1", "no slash", "removed", 0);
  view.remove("node1", "%/a", "failed", 0);
  assert.deepEqual(view.takeChanged(), []);
});

interface Options {
  readonly service?: string;
  readonly generation?: number;
  readonly draining?: boolean;
}

function put(view: ServiceView, owner: string, id: string, options: Options = {}): void {
  const { service = "greeter", generation = 1, draining = false } = options;
  const instance = createInstance({ id, service, host: "h", port: 1 }, generation);
  view.put(owner, 7, instanceKey(service, id), encodeInstance({ instance, draining }), 0);
}

function fail(view: ServiceView, owner: string, id: string): void {
  view.remove(owner, instanceKey("greeter", id), "failed", 0);
}

function show(view: ServiceView, service: string = "greeter"): string[] {
  return view
    .instances(service)
    .map(({ id, state }) => `${id} ${state}`)
    .sort();
}
