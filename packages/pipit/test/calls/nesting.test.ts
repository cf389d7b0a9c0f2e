import assert from "node:assert/strict";
import { type Context, currentContext } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";

holdsEverywhere((it) => {
  it("trace, criticality, deadline and retries reach the third hop with no code of the handlers'", async (world) => {
    const seen: (string | number | undefined)[] = [];
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const third = world.server().handle(Probe, {
      plain(_: unknown, context: Context) {
        seen.push(context.traceparent, context.criticality, context.remainingMs());
        return { text: "3" };
      },
    } as never);
    const thirdClient = world.client(await world.listen(third));
    const second = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        await Promise.resolve();
        assert.equal(currentContext()?.traceparent, context.traceparent);
        return thirdClient.call(Probe.methods.plain, { text: "" });
      },
    } as never);
    const secondClient = world.client(await world.listen(second));
    const first = world
      .server()
      .handle(Probe, { plain: () => secondClient.call(Probe.methods.plain, { text: "" }) } as never);
    const client = world.client(await world.listen(first));
    const context = {
      deadlineMs: world.clock.now() + 3000,
      signal: new AbortController().signal,
      traceparent: trace,
      criticality: 0,
      retries: { left: 3 },
    } as const;
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" }, { context })), { text: "3" });
    assert.equal(seen[0], trace);
    assert.equal(seen[1], 0);
    assert.ok(Number(seen[2]) <= 3000);
    assert.equal(context.retries.left, 3, "what nobody used came back");
    assert.equal(currentContext(), undefined);
  });

  it("two calls side by side in one handler keep their own context", async (world) => {
    const server = world.server().handle(Probe, {
      async plain({ text }: { text: string }, context: Context) {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise<void>((resolve) => world.clock.after(1, resolve));
          assert.equal(currentContext(), context);
        }
        return { text };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const calls = Array.from({ length: 20 }, (_, index) => client.call(Probe.methods.plain, { text: String(index) }));
    const replies = await world.run(Promise.all(calls));
    assert.deepEqual(
      replies.map(({ text }) => Number(text)),
      Array.from({ length: 20 }, (_, index) => index),
    );
  });
});
