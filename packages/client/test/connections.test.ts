import assert from "node:assert/strict";
import { test } from "node:test";
import { isRpcError, service, unary } from "@pipit/protocol";
import { seededRandom, type VirtualClock, virtualClock } from "@pipit/simulation";
import { type ClientOptions, createClient, type PipitClient } from "../src/index.ts";
import { ScriptedTransport } from "./support/scripted-transport.ts";

const Echo = service("client.Echo", {
  plain: unary<string, string>(),
  safe: unary<string, string>({ idempotency: "safe" }),
});

interface Rig {
  readonly clock: VirtualClock;
  readonly transport: ScriptedTransport;
  readonly client: PipitClient;
}

function rig(options: Partial<ClientOptions> = {}): Rig {
  const clock = virtualClock();
  const transport = new ScriptedTransport();
  const client = createClient({ target: "host:1", clock, random: seededRandom(1), transport, ...options });
  return { clock, transport, client };
}

/** The code of a failed call, or its reply. */
function end(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => (isRpcError(error) ? error.code : error));
}

test("a lazy client connects for its first call, an eager one when it is made", async () => {
  const lazy = rig();
  assert.equal(lazy.transport.connections.length, 0);
  void end(lazy.client.call(Echo.methods.plain, "a"));
  assert.equal(lazy.transport.connections.length, 1);
  const eager = rig({ target: ["a:1", "b:2"], connection: { connect: "eager" } });
  assert.deepEqual(
    eager.transport.connections.map(({ address }) => address),
    ["a:1", "b:2"],
  );
});

test("calls made while it connects go out on that connection, with what they were given", async () => {
  const { clock, transport, client } = rig();
  const call = end(client.call(Echo.methods.plain, "a"));
  assert.equal(transport.last.calls[0]?.request, "a");
  transport.last.ready();
  transport.last.answer("b");
  assert.equal(await clock.runUntil(call), "b");
  assert.equal(transport.connections.length, 1);
});

test("failed connects are tried again after 1 s, growing 1.6-fold, each within 20 %", async () => {
  const { clock, transport, client } = rig();
  const atMs: number[] = [];
  transport.onConnect = (connection) => {
    atMs.push(clock.now());
    clock.turn(() => connection.fail());
  };
  await clock.runUntil(end(client.call(Echo.methods.plain, "a")));
  await clock.advance(30_000);
  const waits = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0));
  for (const [index, wait] of waits.entries()) {
    const law = 1000 * 1.6 ** index;
    assert.ok(wait >= law * 0.8 - 1 && wait <= law * 1.2 + 1, `wait ${index}: ${wait}, law ${law}`);
  }
  assert.ok(waits.length >= 5);
});

test("a call with nowhere else to go brings the next connect forward, ten times a second at most", async () => {
  const { clock, transport, client } = rig();
  transport.onConnect = (connection) => clock.turn(() => connection.fail());
  await clock.runUntil(end(client.call(Echo.methods.plain, "a")));
  await clock.advance(5000);
  const before = transport.connections.length;
  const calls: Promise<unknown>[] = [];
  for (let index = 0; index < 100; index++) {
    calls.push(end(client.call(Echo.methods.plain, "a")));
    await clock.advance(10);
  }
  assert.deepEqual(new Set(await clock.runUntil(Promise.all(calls))), new Set(["unavailable"]));
  const tries = transport.connections.length - before;
  assert.ok(tries >= 8 && tries <= 12, `${tries} connects in a second`);
});

test("backoff begins anew once a connection stood", async () => {
  const { clock, transport, client } = rig();
  transport.onConnect = (connection) => clock.turn(() => connection.fail());
  await clock.runUntil(end(client.call(Echo.methods.plain, "a")));
  await clock.advance(20_000);
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  await clock.advance(60_000);
  assert.equal(client.stats().endpoints[0]?.state, "ready");
  const failures: number[] = [];
  transport.onConnect = (connection) => {
    failures.push(clock.now());
    clock.turn(() => connection.fail());
  };
  transport.last.fail();
  await clock.advance(1300);
  assert.equal(failures.length, 2, "at once, and a second later");
});

test("an endpoint whose connection was lost gets no calls while another stands", async () => {
  const { clock, transport, client } = rig({ target: ["a:1", "b:2"] });
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  const first: Promise<unknown>[] = [];
  for (let index = 0; index < 10; index++) first.push(end(client.call(Echo.methods.plain, "a")));
  await clock.advance(1);
  transport.onConnect = (connection) => clock.turn(() => connection.fail());
  const [lost, standing] = transport.connections;
  lost?.fail();
  await clock.advance(1);
  const connects = transport.connections.length;
  for (let index = 0; index < 20; index++) void end(client.call(Echo.methods.plain, "b"));
  assert.equal(standing?.calls.filter(({ request }) => request === "b").length, 20);
  assert.equal(transport.connections.length, connects);
});

test("a connection without calls is closed after its idle time, and the next call opens another", async () => {
  const { clock, transport, client } = rig({ connection: { idleTimeoutMs: 1000 } });
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  const call = end(client.call(Echo.methods.plain, "a"));
  await clock.advance(2500);
  const first = transport.last;
  assert.equal(first.closedBy, undefined, "a call is open");
  first.answer("b");
  await clock.advance(2500);
  await call;
  assert.equal(first.closedBy, "close");
  assert.equal(client.stats().endpoints[0]?.state, "idle");
  void end(client.call(Echo.methods.plain, "a"));
  assert.equal(transport.connections.length, 2);
});

test("a connection is retired at its greatest age, within 10 %, and its calls end first", async () => {
  const { clock, transport, client } = rig({ connection: { maxAgeMs: 10_000 } });
  transport.onConnect = (connection) => {
    connection.close = () => void (connection.closedBy = "close");
    clock.turn(() => connection.ready());
  };
  const call = end(client.call(Echo.methods.plain, "a", { timeoutMs: 60_000 }));
  const first = transport.last;
  await clock.advance(8900);
  assert.equal(first.closedBy, undefined);
  await clock.advance(2200);
  assert.equal(first.closedBy, "close");
  void end(client.call(Echo.methods.plain, "b", { timeoutMs: 60_000 }));
  assert.equal(transport.connections.length, 2);
  first.answer("late");
  assert.equal(await clock.runUntil(call), "late");
});

test("no timer is left of a connection that is closed, lost or drained, whatever its age and idle time", async () => {
  for (const way of ["close", "destroy", "fail", "drain"] as const) {
    const { clock, transport, client } = rig({ connection: { maxAgeMs: 1_000_000, idleTimeoutMs: 1_000_000 } });
    const call = end(client.call(Echo.methods.plain, "a"));
    const { last } = transport;
    last.ready();
    last.answer("b");
    await clock.runUntil(call);
    // What the call itself left is gone by then.
    await clock.advance(60_000);
    assert.equal(clock.waitingCount, 2, `${way}: its age and its idle time`);
    last[way]();
    if (way === "drain") last.close();
    assert.equal(clock.waitingCount, 0, way);
  }
});

test("several connections per endpoint share its calls", async () => {
  const { clock, transport, client } = rig({ connection: { connectionsPerEndpoint: 3 } });
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  for (let index = 0; index < 30; index++) {
    void end(client.call(Echo.methods.plain, "a"));
    await clock.advance(1);
  }
  assert.deepEqual(
    transport.connections.map(({ openCalls }) => openCalls),
    [10, 10, 10],
  );
});

test("connections to one endpoint are made side by side, as many as there are calls for", async () => {
  const { clock, transport, client } = rig({ connection: { connectionsPerEndpoint: 3 } });
  const calls = [end(client.call(Echo.methods.plain, "a"))];
  assert.equal(transport.connections.length, 1, "one call, one connection");
  for (let index = 0; index < 5; index++) calls.push(end(client.call(Echo.methods.plain, "b")));
  assert.deepEqual(
    transport.connections.map(({ openCalls }) => openCalls),
    [2, 2, 2],
    "all are being made, and hold calls already",
  );
  for (const connection of transport.connections) connection.ready();
  for (const connection of [...transport.connections, ...transport.connections]) connection.answer("c");
  await clock.runUntil(Promise.all(calls));
  assert.equal(transport.connections.length, 3);
});

test("connections whose transport cannot hold calls are made side by side for those that wait", async () => {
  const { clock, transport, client } = rig({ connection: { connectionsPerEndpoint: 2 } });
  transport.onConnect = (connection) => (connection.available = false);
  const calls = ["a", "b", "c"].map((text) => end(client.call(Echo.methods.plain, text)));
  assert.equal(transport.connections.length, 2);
  for (const connection of transport.connections) {
    connection.available = true;
    connection.ready();
  }
  for (const connection of transport.connections) while (connection.openCalls > 0) connection.answer("d");
  assert.deepEqual(await clock.runUntil(Promise.all(calls)), ["d", "d", "d"]);
});

test("of connections made side by side one that fails takes no call of another's, and is not tried at each call", async () => {
  const { clock, transport, client } = rig({ connection: { connectionsPerEndpoint: 2 } });
  const calls = ["a", "b"].map((text) => end(client.call(Echo.methods.plain, text)));
  const [first, second] = transport.connections;
  first?.fail();
  second?.ready();
  await clock.advance(1);
  for (let index = 0; index < 10; index++) calls.push(end(client.call(Echo.methods.plain, "c")));
  const made = transport.connections.length;
  assert.ok(made <= 3, `${made} connections`);
  for (const connection of transport.connections) {
    if (connection.state === "connecting") connection.fail();
  }
  for (let index = 0; index < 10; index++) calls.push(end(client.call(Echo.methods.plain, "d")));
  assert.equal(transport.connections.length, made, "the backoff says when the next is made");
  const open = second?.openCalls ?? 0;
  for (let index = 0; index < open; index++) second?.answer("e");
  await clock.runUntil(Promise.all(calls));
});

test("calls that wait for room on a full connection go out when it says that there is some", async () => {
  const { clock, transport, client } = rig();
  const first = end(client.call(Echo.methods.plain, "a"));
  const connection = transport.last;
  connection.ready();
  connection.answer("b");
  await clock.runUntil(first);
  connection.available = false;
  const calls = ["c", "d"].map((text) => end(client.call(Echo.methods.plain, text)));
  await clock.advance(1000);
  assert.equal(connection.calls.length, 0);
  connection.available = true;
  connection.options.handler.onRoom?.();
  assert.deepEqual(
    connection.calls.map(({ request }) => request),
    ["c", "d"],
  );
  connection.answer("c");
  connection.answer("d");
  assert.deepEqual(await clock.runUntil(Promise.all(calls)), ["c", "d"]);
});

test("a draining server gets no more calls, its open ones end, and the client comes back to it", async () => {
  const { clock, transport, client } = rig();
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  const open = end(client.call(Echo.methods.plain, "a"));
  await clock.advance(1);
  const first = transport.last;
  first.drain();
  await clock.advance(1);
  const next = end(client.call(Echo.methods.plain, "b"));
  assert.equal(transport.last.calls.length, 1);
  first.answer("a");
  transport.last.answer("b");
  assert.deepEqual(await clock.runUntil(Promise.all([open, next])), ["a", "b"]);
});

test("closing waits for open calls as long as its grace, then ends them", async () => {
  const { clock, transport, client } = rig();
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  const open = end(client.call(Echo.methods.plain, "a"));
  await clock.advance(1);
  let closed = false;
  const closing = client.close({ graceMs: 500 }).then(() => (closed = true));
  await clock.advance(499);
  assert.equal(closed, false);
  await clock.advance(2);
  await closing;
  assert.equal(await open, "cancelled");
});

test("a target that is none is refused with what was wanted", () => {
  for (const target of ["", "host", "host:99999", "http://host:1", [], 7, {}]) {
    assert.throws(() => createClient({ target: target as never, transport: new ScriptedTransport() }), TypeError);
  }
});

test("a server that takes connections and sends them away at once is come back to as after failures", async () => {
  const { clock, transport, client } = rig();
  const atMs: number[] = [];
  transport.onConnect = (connection) => {
    atMs.push(clock.now());
    clock.turn(() => {
      connection.ready();
      connection.drain();
    });
  };
  void end(client.call(Echo.methods.plain, "a"));
  await clock.advance(30_000);
  const [, second, ...later] = atMs;
  assert.equal(second, atMs[0]);
  assert.ok(later.length >= 4 && later.length <= 12, `${later.length} connects in 30 s`);
  transport.onConnect = (connection) => clock.turn(() => connection.ready());
  await clock.advance(60_000);
  const before = transport.connections.length;
  transport.last.drain();
  assert.equal(transport.connections.length, before + 1, "one that stood for a while is replaced at once");
});
