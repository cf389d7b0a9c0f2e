import assert from "node:assert/strict";
import { type Context, memoryRegistry, type Metadata, type Method, RpcError, type Server } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { deferred, failure } from "../support/outcome.ts";

/** Who may call what: a per-method list, as a server would have it. */
const allowed: Readonly<Record<string, readonly string[]>> = { plain: ["alice", "bob"], safe: ["alice"] };

holdsEverywhere((it) => {
  it("authorize decides per method, before the message is decoded", async (world) => {
    let ran = 0;
    const authorize = (method: Method, identity: unknown): boolean =>
      allowed[method.name]?.includes(String(identity)) ?? false;
    const server = world.server({ authenticate: () => "bob", authorize }).handle(Probe, {
      plain: (_: unknown, { peer }: Context) => (ran++, { text: String(peer.identity) }),
      safe: () => (ran++, { text: "" }),
    } as never);
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "bob" });
    assert.equal((await world.run(failure(client.call(Probe.methods.safe, { text: "" })))).code, "permission_denied");
    assert.equal(ran, 1);
  });

  it("authorize may wait, and may say why it refuses", async (world) => {
    const gate = deferred();
    const server = world
      .server({
        async authorize(_, __, metadata: Metadata) {
          await gate.promise;
          if (metadata.text("authorization") !== "Bearer good") throw new RpcError("unauthenticated", "Wrong token");
        },
      })
      .handle(Probe, {
        plain: () => ({ text: "in" }),
        sum: async (requests: AsyncIterable<{ text: string }>) => {
          let text = "";
          for await (const request of requests) text += request.text;
          return { text };
        },
      } as never);
    const client = world.client(await world.listen(server));
    const good = { metadata: { authorization: "Bearer good" } };
    const calls = Promise.all([
      client.call(Probe.methods.plain, { text: "" }, good),
      client.call(Probe.methods.sum, [{ text: "a" }, { text: "b" }], good),
      failure(client.call(Probe.methods.plain, { text: "" })),
    ]);
    await world.pass(10);
    gate.resolve();
    const [plain, sum, wrong] = await world.run(calls);
    assert.deepEqual([plain.text, sum.text], ["in", "ab"]);
    assert.equal(wrong.code, "unauthenticated");
    assert.match(wrong.message, /^Wrong token/);
  });

  it("a peer that cannot be authenticated gets no connection", async (world) => {
    const server = world
      .server({ authenticate: () => Promise.reject(new Error("who?")) })
      .handle(Probe, { plain: () => assert.fail() } as never);
    const client = world.client(await world.listen(server));
    assert.equal(
      (await world.run(failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 500 })))).code,
      "unavailable",
    );
  });

  it("a peer whose authentication never ends gets no longer for it than for its preface", async (world) => {
    const server = world
      .server({ authenticate: () => new Promise(() => undefined), limits: { handshakeTimeoutMs: 40 } })
      .handle(Probe, { plain: () => assert.fail() } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 60_000 })));
    assert.equal(error.code, "unavailable");
    assert.equal(server.stats().connections, 0);
  });

  it("credentials go with each sending, and into no error or record", async (world) => {
    let asked = 0;
    const server = world.server().handle(Probe, {
      plain(_: unknown, { metadata }: Context) {
        throw new RpcError("not_found", String(metadata.text("authorization")).length === 14 ? "came" : "missing");
      },
    } as never);
    const credentials = { metadata: async () => (asked++, { authorization: "Bearer hunter2" }), allowPlaintext: true };
    const client = world.client(await world.listen(server), { credentials });
    const error = await world.run(failure(client.call(Probe.methods.plain, { text: "" })));
    assert.match(error.message, /^came/);
    assert.equal(asked, 1);
    assert.ok(!JSON.stringify([error, error.message, error.record, String(error.stack)]).includes("hunter2"));
  });

  it("a call whose endpoint leaves while it asks for credentials goes to another one", async (world) => {
    const registry = memoryRegistry();
    const serverOf = (id: string): Server =>
      world.server({ registry, id }).handle(Probe, { plain: () => ({ text: id }) } as never);
    const first = serverOf("first");
    await world.listen(first);
    const [asked, secret] = [deferred(), deferred<{ readonly authorization: string }>()];
    const metadata = (): typeof secret.promise => (asked.resolve(), secret.promise);
    const client = world.client({ registry }, { credentials: { metadata, allowPlaintext: true } });
    const call = client.call(Probe.methods.plain, { text: "" }, { waitForReady: true, timeoutMs: world.span(2000) });
    await world.run(asked.promise);
    const second = await world.listen(serverOf("second"));
    await world.run(first.close({ graceMs: 0 }));
    await world.until(
      () =>
        client
          .stats()
          .endpoints.map(({ address }) => address)
          .join() === second,
    );
    secret.resolve({ authorization: "Bearer good" });
    assert.deepEqual(await world.run(call), { text: "second" });
  });

  it("a call that still asks for credentials when its client has closed ends with that", async (world) => {
    const server = world.server().handle(Probe, { plain: () => ({ text: "in" }) } as never);
    const asked = deferred();
    const metadata = (): Promise<never> => (asked.resolve(), new Promise(() => undefined));
    const client = world.client(await world.listen(server), { credentials: { metadata, allowPlaintext: true } });
    const call = failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 60_000 }));
    await world.run(asked.promise);
    await world.run(client.close({ graceMs: 10 }));
    assert.equal(client.stats().inFlight, 0);
    const { code, handled } = await world.run(call);
    assert.deepEqual([code, handled], ["cancelled", "no"]);
  });

  it("credentials never go over plaintext that leaves the machine", async (world) => {
    const server = world.server().handle(Probe, { plain: () => ({ text: "in" }) } as never);
    const client = world.client(await world.listen(server), {
      credentials: { metadata: () => ({ authorization: "secret" }) },
    });
    const call = client.call(Probe.methods.plain, { text: "" });
    // The simulated network is a network; memory and loopback are not.
    if (world.name === "memory" || world.name === "tcp") assert.deepEqual(await world.run(call), { text: "in" });
    else {
      const error = await world.run(failure(call));
      assert.deepEqual([error.code, error.handled], ["unauthenticated", "no"]);
    }
  });
});
