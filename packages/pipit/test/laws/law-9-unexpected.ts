import assert from "node:assert/strict";
import { type Context, type HandlerFailure, isRpcError, RpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { collect, failure } from "../support/outcome.ts";

/** A handler's unexpected throw is internal with an id, and no more; declared errors arrive typed. */
export const lawNine: Law = (it) => {
  it("the caller of a handler with a bug gets an id that the log has too, and nothing else", async (world) => {
    const log: { error: unknown; failure: HandlerFailure }[] = [];
    const bug = new TypeError("password of root is hunter2");
    const server = world.server({ onError: (error, details) => log.push({ error, failure: details }) }).handle(Probe, {
      plain() {
        throw bug;
      },
      safe: () => Promise.reject(bug),
      async *items() {
        yield { text: "1" };
        throw bug;
      },
    } as never);
    const client = world.client(await world.listen(server));
    const errors = [
      await world.run(failure(client.call(Probe.methods.plain, { text: "" }))),
      await world.run(failure(client.call(Probe.methods.safe, { text: "" }))),
      (await world.run(collect(client.call(Probe.methods.items, { text: "" })))).error,
    ];
    assert.equal(log.length, 3);
    for (const [index, error] of errors.entries()) {
      assert.equal(error?.code, "internal");
      assert.ok(!JSON.stringify([error?.message, error?.cause, error?.record]).includes("hunter2"));
      assert.ok(error?.message.includes(log[index]?.failure.id ?? "none"));
      assert.equal(log[index]?.error, bug);
    }
    assert.equal(log[0]?.failure.method.name, "plain");
  });

  it("an onError that throws or rejects keeps no call from its end, and no place taken", async (world) => {
    const heard: string[] = [];
    const listen = (warning: Error): void => void heard.push(warning.message);
    process.on("warning", listen);
    let told = 0;
    const onError = (): void => {
      if (told++ === 0) throw new Error("the log is full");
      return Promise.reject(new Error("the log has gone")) as unknown as void;
    };
    const server = world.server({ onError }).handle(Probe, {
      plain() {
        throw new Error("bug");
      },
      safe: () => Promise.reject(new Error("bug")),
    } as never);
    const client = world.client(await world.listen(server));
    for (const method of [Probe.methods.plain, Probe.methods.safe]) {
      assert.equal((await world.run(failure(client.call(method, { text: "" })))).code, "internal");
    }
    await world.pass(5);
    process.removeListener("warning", listen);
    assert.deepEqual([heard, server.stats().inFlight], [["the log is full", "the log has gone"], 0]);
  });

  it("a declared error arrives with its name and typed data", async (world) => {
    const server = world.server().handle(Probe, {
      declared(_: unknown, context: { error(name: string, data: unknown, options?: object): RpcError }) {
        throw context.error("notFound", { id: 7 }, { message: "No order 7", code: "not_found" });
      },
    } as never);
    const error = await world.run(
      failure(world.client(await world.listen(server)).call(Probe.methods.declared, { text: "" })),
    );
    assert.ok(isRpcError(error, Probe.methods.declared));
    assert.equal(error.error, "notFound");
    assert.deepEqual([error.data.id, error.code], [7, "not_found"]);
    assert.match(error.message, /^No order 7/);
  });

  it("an error of a nested call keeps its code and hides its addresses", async (world) => {
    const log: unknown[] = [];
    const back = await world.listen(
      world.server().handle(Probe, {
        plain() {
          throw new RpcError("permission_denied", "back says no");
        },
      } as never),
    );
    const backClient = world.client(back);
    const front = world.server({ onError: (error) => log.push(error) }).handle(Probe, {
      plain: () => backClient.call(Probe.methods.plain, { text: "" }),
    } as never);
    const error = await world.run(
      failure(world.client(await world.listen(front)).call(Probe.methods.plain, { text: "" })),
    );
    assert.equal(error.code, "permission_denied");
    assert.ok(!error.message.includes(back) && !error.message.includes("back says no"), error.message);
    assert.equal((log[0] as RpcError).target, back);
  });

  it("a reply that is not what the contract says is the handler's fault, and the log has it", async (world) => {
    const log: unknown[] = [];
    const server = world
      .server({ onError: (error) => log.push(error) })
      .handle(Probe, { plain: () => ({ text: 5 }) } as never);
    const error = await world.run(
      failure(world.client(await world.listen(server)).call(Probe.methods.plain, { text: "" })),
    );
    assert.equal(error.code, "internal");
    assert.equal(log.length, 1);
    assert.match(String(log[0]), /\$\.text: expected string/);
  });

  it("what a handler wants to say and cannot be sent is its fault, and spoils no other call", async (world) => {
    const log: string[] = [];
    const server = world.server({ onError: (error) => log.push(String(error)) }).handle(Probe, {
      declared(_: unknown, context: { error(name: string, data: unknown): RpcError }) {
        throw context.error("notFound", { id: "seven" });
      },
      plain(_: unknown, { trailers }: Context) {
        trailers.set("long", "x".repeat(9000));
        return { text: "" };
      },
      safe(_: unknown, { trailers }: Context) {
        trailers.set("long", "x".repeat(9000));
        throw new RpcError("not_found", "No order 7");
      },
      quick(_: unknown, { replyMetadata }: Context) {
        replyMetadata.set("long", "x".repeat(9000));
        return { text: "" };
      },
      *items(_: unknown, { trailers }: Context) {
        trailers.set("long", "x".repeat(9000));
        yield { text: "1" };
      },
      once: ({ text }: { text: string }) => ({ text }),
    } as never);
    const client = world.client(await world.listen(server));
    const { methods } = Probe;
    const options = { timeoutMs: 5000 };
    const codes = [
      (await world.run(failure(client.call(methods.declared, { text: "" })))).code,
      (await world.run(failure(client.call(methods.plain, { text: "" })))).code,
      (await world.run(failure(client.call(methods.safe, { text: "" })))).code,
      (await world.run(failure(client.call(methods.quick, { text: "" }, options)))).code,
      (await world.run(collect(client.call(methods.items, { text: "" })))).error?.code,
    ];
    assert.equal(codes[0], "internal");
    assert.equal(codes[2], "not_found");
    for (const index of [1, 3, 4])
      assert.ok(["internal", "resource_exhausted", "invalid_argument"].includes(codes[index] ?? ""), codes[index]);
    assert.equal(log.length, 4);
    assert.deepEqual(await world.run(client.call(methods.once, { text: "still here" })), { text: "still here" });
    assert.deepEqual([client.stats().inFlight, server.stats().inFlight], [0, 0]);
  });
};
