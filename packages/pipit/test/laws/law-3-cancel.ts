import assert from "node:assert/strict";
import type { Context } from "pipit";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { deferred, failure, outcome } from "../support/outcome.ts";

const never = (): Promise<never> => new Promise(() => undefined);

/** Resolves with the code of the reason once the call is given up. */
function abortCode({ signal }: Context): Promise<string> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve((signal.reason as { code: string }).code));
  });
}

/** Cancel reaches the handler's signal, and through nested calls. */
export const lawThree: Law = (it) => {
  it("an aborted signal rejects with cancelled and its reason as cause, and reaches the handler", async (world) => {
    const code = deferred<string>();
    const started = deferred();
    const server = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        started.resolve();
        code.resolve(await abortCode(context));
        return { text: "late" };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const controller = new AbortController();
    const end = failure(client.call(Probe.methods.plain, { text: "" }, { signal: controller.signal }));
    await world.run(started.promise);
    const why = new Error("changed my mind");
    controller.abort(why);
    const error = await world.run(end);
    assert.deepEqual([error.code, error.cause, error.handled], ["cancelled", why, "maybe"]);
    assert.equal(await world.run(code.promise), "cancelled");
  });

  it("a signal that has fired before sends nothing", async (world) => {
    const server = world.server().handle(Probe, { plain: never } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(
      failure(client.call(Probe.methods.plain, { text: "" }, { signal: AbortSignal.abort("no") })),
    );
    assert.deepEqual([error.code, error.cause, error.attempt], ["cancelled", "no", 0]);
    assert.equal(server.stats().calls.started, 0);
  });

  it("a call that a getter of its own request gives up is cancelled at the server, too", async (world) => {
    const code = deferred<string>();
    const server = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        code.resolve(await abortCode(context));
        return { text: "late" };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const controller = new AbortController();
    const request = {
      get text(): string {
        controller.abort("no");
        return "";
      },
    };
    const call = client.call(Probe.methods.plain, request, { signal: controller.signal });
    const error = await world.run(failure(call));
    assert.deepEqual([error.code, error.cause], ["cancelled", "no"]);
    assert.equal(await world.run(code.promise), "cancelled");
    assert.equal(client.stats().inFlight, 0);
  });

  it("leaving a loop over replies cancels the call and stops the generator", async (world) => {
    const stopped = deferred();
    const server = world.server().handle(Probe, {
      async *items(_: unknown, { signal }: Context) {
        try {
          for (let i = 0; !signal.aborted; i++) {
            yield { text: String(i) };
            await new Promise<void>((resolve) => world.clock.after(1, resolve));
          }
        } finally {
          stopped.resolve();
        }
      },
    } as never);
    const client = world.client(await world.listen(server));
    async function readTwo(): Promise<string[]> {
      const seen: string[] = [];
      for await (const { text } of client.call(Probe.methods.items, { text: "" })) {
        seen.push(text);
        if (seen.length === 2) break;
      }
      return seen;
    }
    assert.deepEqual(await world.run(readTwo()), ["0", "1"]);
    await world.run(stopped.promise);
    assert.equal(client.stats().inFlight, 0);
  });

  it("a cancel cascades through a nested call", async (world) => {
    const innermost = deferred<string>();
    const started = deferred();
    const back = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        started.resolve();
        innermost.resolve(await abortCode(context));
        return { text: "" };
      },
    } as never);
    const backClient = world.client(await world.listen(back));
    const front = world
      .server()
      .handle(Probe, { plain: () => backClient.call(Probe.methods.plain, { text: "" }) } as never);
    const client = world.client(await world.listen(front));
    const controller = new AbortController();
    const end = failure(client.call(Probe.methods.plain, { text: "" }, { signal: controller.signal }));
    await world.run(started.promise);
    controller.abort();
    assert.equal((await world.run(end)).code, "cancelled");
    assert.equal(await world.run(innermost.promise), "cancelled");
  });

  it("a context handed on by hand cascades too", async (world) => {
    const innermost = deferred<string>();
    const started = deferred();
    const back = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        started.resolve();
        innermost.resolve(await abortCode(context));
        return { text: "" };
      },
    } as never);
    const client = world.client(await world.listen(back));
    const controller = new AbortController();
    const context = {
      deadlineMs: Infinity,
      signal: controller.signal,
      traceparent: "00-1-2-03",
      criticality: 2,
      retries: { left: 3 },
    } as const;
    const end = failure(client.call(Probe.methods.plain, { text: "" }, { context }));
    await world.run(started.promise);
    assert.equal(context.retries.left, 1, "a nested call borrows half, rounded up");
    controller.abort();
    assert.equal((await world.run(end)).code, "cancelled");
    assert.equal(await world.run(innermost.promise), "cancelled");
  });

  it("a cancel that races the reply settles the call once, whoever wins", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    await world.run(client.call(Probe.methods.plain, { text: "warm" }));
    for (let delay = 0; delay < 8; delay++) {
      const controller = new AbortController();
      const call = outcome(client.call(Probe.methods.plain, { text: "x" }, { signal: controller.signal }));
      world.clock.after(delay / 2, () => controller.abort());
      const end = await world.run(call);
      if ("error" in end) assert.equal(end.error.code, "cancelled");
      else assert.deepEqual(end.value, { text: "x" });
    }
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "after" })), { text: "after" });
    await world.until(() => client.stats().inFlight === 0 && server.stats().inFlight === 0);
  });

  it("thousands of cancelled calls leave their slots for later ones", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    await world.run(client.call(Probe.methods.plain, { text: "warm" }));
    // Many bytes in many pieces are many turns of virtual time.
    const rounds = world.isVirtual ? 5 : 100;
    for (let round = 0; round < rounds; round++) {
      const controller = new AbortController();
      const calls = Array.from({ length: 1000 }, () =>
        failure(client.call(Probe.methods.plain, { text: "x" }, { signal: controller.signal })),
      );
      controller.abort();
      for (const { code } of await world.run(Promise.all(calls))) assert.equal(code, "cancelled");
    }
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "after" })), { text: "after" });
    assert.equal(client.stats().endpoints[0]?.openCalls, 0);
  });
};
