import assert from "node:assert/strict";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

holdsEverywhere((it) => {
  it("connections with endless calls leave another its share, and what they wait for does not shut it out", async (world) => {
    const options = { maxConcurrentCalls: 100, maxQueuedCalls: 20, maxQueueWaitMs: 60_000 };
    const server = world.server(options).handle(Probe, {
      plain: () => new Promise(() => undefined),
      safe: ({ text }: { text: string }) => ({ text }),
    } as never);
    const address = await world.listen(server);
    const noRetry = { retry: { budget: { ratio: 0, perSecond: 0 } } };
    const endless = [0, 1].flatMap(() => {
      const greedy = world.client(address, noRetry);
      return Array.from({ length: 100 }, () => failure(greedy.call(Probe.methods.plain, { text: "" })));
    });
    await world.until(() => server.stats().queued === 20 && server.stats().calls.started >= 200);
    assert.ok(server.stats().inFlight < 100);
    const modest = world.client(address, noRetry);
    for (let count = 0; count < 10; count++) {
      const answer = modest.call(Probe.methods.safe, { text: `${count}` });
      assert.deepEqual(await world.run(answer), { text: `${count}` });
    }
    void endless;
  });

  it("a call that was given up counts for its connection until its handler has ended", async (world) => {
    const ends: (() => void)[] = [];
    const server = world.server({ maxConcurrentCalls: 34, maxQueuedCalls: 0 }).handle(Probe, {
      plain: () => new Promise((resolve) => ends.push(() => resolve({ text: "" }))),
      safe: ({ text }: { text: string }) => ({ text }),
    } as never);
    const address = await world.listen(server);
    const greedy = world.client(address, { retry: { budget: { ratio: 0, perSecond: 0 } } });
    const giveUp = new AbortController();
    const calls = Array.from({ length: 32 }, () =>
      failure(greedy.call(Probe.methods.plain, { text: "" }, { signal: giveUp.signal })),
    );
    await world.until(() => ends.length === 32);
    giveUp.abort();
    await world.run(Promise.all(calls));
    await world.pass(10);
    assert.equal(server.stats().inFlight, 32);
    assert.equal((await world.run(failure(greedy.call(Probe.methods.safe, { text: "" })))).code, "resource_exhausted");
    const modest = world.client(address);
    assert.deepEqual(await world.run(modest.call(Probe.methods.safe, { text: "in" })), { text: "in" });
    for (const end of ends) end();
    await world.until(() => server.stats().inFlight === 0);
    assert.deepEqual(await world.run(greedy.call(Probe.methods.safe, { text: "again" })), { text: "again" });
  });
});
