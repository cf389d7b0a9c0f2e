import assert from "node:assert/strict";
import { type CallRecord, type Client, RpcError } from "pipit";
import { pickFirst, roundRobin } from "pipit/balancer";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { deferred, failure } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

const down = (): never => {
  throw new RpcError("unavailable", "down");
};

/** A server whose `plain` and `safe` answer with its name, unless told otherwise. */
function listen(world: World, name: string, handlers: object = {}): Promise<string> {
  const answer = (): { text: string } => ({ text: name });
  return world.listen(world.server().handle(Probe, { plain: answer, safe: answer, ...handlers } as never));
}

/** The record of one `safe` call that succeeds. */
async function recordOf(world: World, { safe }: Client<typeof Probe>): Promise<CallRecord | undefined> {
  let record: CallRecord | undefined;
  await world.run(safe({ text: "" }, { onEnd: (end) => void (record = end.record) }));
  return record;
}

holdsEverywhere((it) => {
  it("the balancer of a method wins over the service's, and that over the client's", async (world) => {
    const addresses = [await listen(world, "a"), await listen(world, "b")];
    const client = world.client(addresses, { balancer: ({ now, random }) => roundRobin({ now, random }) });
    const spread = client.service(Probe);
    const first = client.service(Probe, {
      balancer: ({ now, random }) => pickFirst({ now, random }),
      methods: { plain: { balancer: ({ now, random }) => roundRobin({ now, random }) } },
    });
    const names = async (call: (request: { text: string }) => Promise<{ text: string }>): Promise<string[]> => {
      const seen: string[] = [];
      for (let count = 0; count < 4; count++) seen.push((await world.run(call({ text: "" }))).text);
      return seen.sort();
    };
    assert.deepEqual(await names(spread.safe), ["a", "a", "b", "b"]);
    assert.deepEqual(await names(first.safe), ["a", "a", "a", "a"]);
    assert.deepEqual(await names(first.plain), ["a", "a", "b", "b"]);
    assert.equal(client.stats().endpoints.length, 2, "connections are shared");
  });

  it("a breaker of a method's own takes the endpoint out for that method alone", async (world) => {
    let broken = 0;
    const bad = await listen(world, "bad", {
      plain() {
        broken++;
        throw new RpcError("internal", "broken");
      },
    });
    const client = world.client([bad, await listen(world, "good")], {
      balancer: ({ now, random }) => roundRobin({ now, random }),
      ejection: false,
      breaker: false,
    });
    const probe = client.service(Probe, { methods: { plain: { breaker: { failures: 2, openMs: 60_000 } } } });
    const decisions: string[] = [];
    for (let count = 0; count < 12; count++) {
      const onEnd = ({ record }: { record: CallRecord }): void => {
        decisions.push(...record.decisions.map(({ type }) => type));
      };
      await world.run(probe.plain({ text: "" }, { onEnd }).catch(() => undefined));
    }
    assert.equal(broken, 2);
    assert.deepEqual(decisions, ["breaker opened"]);
    const seen = new Set<string>();
    for (let count = 0; count < 4; count++) seen.add((await world.run(probe.safe({ text: "" }))).text);
    assert.deepEqual([...seen].sort(), ["bad", "good"]);
  });

  it("budget and backoff are the client's, the service's or the method's, part by part", async (world) => {
    let runs = 0;
    const address = await listen(world, "a", { safe: () => (runs++, down()) });
    const client = world.client(address, { retry: { baseMs: 1, maxMs: 1 } });
    const poor = client.service(Probe, { methods: { safe: { retry: { budget: { ratio: 0, perSecond: 0 } } } } });
    const spent = await world.run(failure(poor.safe({ text: "" })));
    assert.deepEqual(
      spent.record?.decisions.map((decision) => [decision.type, "why" in decision ? decision.why : ""]),
      [["no retry", "budget spent"]],
    );
    assert.equal(runs, 1);
    const patient = client.service(Probe, { retry: { baseMs: 300, maxMs: 300 } });
    const waits = async (call: Promise<unknown>): Promise<number[]> => {
      const error = await world.run(failure(call));
      assert.deepEqual(error.record?.decisions.at(-1)?.type, "no retry");
      return (error.record?.decisions ?? []).flatMap((each) => (each.type === "backoff" ? [each.delayMs] : []));
    };
    const long = await waits(patient.safe({ text: "" }));
    const short = await waits(client.call(Probe.methods.safe, { text: "" }));
    assert.deepEqual([long.length, short.length], [3, 3]);
    assert.ok(
      Math.max(...long) > 20 && Math.max(...long) <= 300 && Math.max(...short) <= 1,
      `${long.join()} and ${short.join()}`,
    );
  });

  it("a record tells why a call was not sent again, and when the server said how long to wait", async (world) => {
    const tomorrow = (): never => {
      throw new RpcError("resource_exhausted", "come back tomorrow", { retryAfterMs: 60_000 });
    };
    const later = (): never => {
      throw new RpcError("resource_exhausted", "come back soon", { retryAfterMs: 20 });
    };
    const decisions = async (safe: () => never, retries: boolean): Promise<unknown[]> => {
      const client = world.client(await listen(world, "a", { safe }), { retries, retry: { baseMs: 1, maxMs: 1 } });
      const error = await world.run(failure(client.call(Probe.methods.safe, { text: "" })));
      return (error.record?.decisions ?? []).map((each) =>
        each.type === "backoff" ? `asked ${each.asked}` : each.type === "no retry" ? each.why : each.type,
      );
    };
    assert.deepEqual(await decisions(down, false), ["retries off"]);
    assert.deepEqual(await decisions(down, true), ["asked false", "asked false", "asked false", "tree spent"]);
    assert.deepEqual(await decisions(later, true), ["asked true", "asked true", "asked true", "tree spent"]);
    assert.deepEqual((await decisions(tomorrow, true)).at(-1), "deadline");
  });

  it("the record of a hedged call tells both sendings, the hedge, and who lost", async (world) => {
    const slow = await listen(world, "slow", {
      safe: () => new Promise((resolve) => world.clock.after(3000, () => resolve({ text: "slow" }))),
    });
    const client = world.client([slow, await listen(world, "quick")], {
      balancer: ({ now, random }) => pickFirst({ now, random }),
    });
    const probe = client.service(Probe, { methods: { safe: { hedge: { initialDelayMs: 20 } } } });
    const record = await recordOf(world, probe);
    assert.deepEqual(
      record?.attempts.map(({ reason, code }) => [reason, code]),
      [
        ["balancer", "cancelled"],
        ["hedge", undefined],
      ],
    );
    assert.deepEqual(
      record?.decisions.map((each) => (each.type === "hedge lost" ? each.endpoint : each.type)),
      ["hedge", slow],
    );
    const { started, succeeded, failed, hedges } = client.stats().calls;
    assert.deepEqual([started, succeeded, failed, hedges], [1, 1, 0, 1], "one call, two sendings");
  });

  it("when both sendings of a hedged call fail, its caller and its observer hear of it once", async (world) => {
    const failing = (delayMs: number) => () =>
      new Promise((_, reject) => world.clock.after(delayMs, () => reject(new RpcError("internal", "broken"))));
    const addresses = [
      await listen(world, "a", { safe: failing(60) }),
      await listen(world, "b", { safe: failing(90) }),
    ];
    const client = world.client(addresses);
    const probe = client.service(Probe, { hedge: { initialDelayMs: 20 } });
    const ends: CallRecord[] = [];
    const call = probe.safe({ text: "" }, { onEnd: ({ record }) => void ends.push(record) });
    const error = await world.run(failure(call));
    assert.equal(error.code, "internal");
    assert.equal(ends.length, 1);
    assert.equal(ends[0]?.attempts.length, 2);
    assert.deepEqual([client.stats().calls.failed, client.stats().inFlight], [1, 0]);
  });

  it("a hedge that cannot be had stands in the record", async (world) => {
    const slow = await listen(world, "slow", {
      safe: () => new Promise((resolve) => world.clock.after(60, () => resolve({ text: "slow" }))),
    });
    const poor = world
      .client(slow, { retry: { budget: { ratio: 0, perSecond: 0 } } })
      .service(Probe, { hedge: { initialDelayMs: 5 } });
    const record = await recordOf(world, poor);
    assert.deepEqual(
      record?.decisions.map((each) => [each.type, "why" in each ? each.why : ""]),
      [["no hedge", "budget spent"]],
    );
  });

  it("proxies of one service share its cap; what waits there spends its deadline, and says so", async (world) => {
    const gate = deferred();
    const server = world.server().handle(Probe, { plain: () => gate.promise.then(() => ({ text: "" })) } as never);
    const client = world.client(await world.listen(server), { concurrency: { max: 1, maxQueued: 2, maxWaitMs: 5000 } });
    const ends: (string | undefined)[] = [];
    const onEnd = ({ error, record }: { error?: RpcError | undefined; record: CallRecord }): void => {
      ends.push(`${error?.code} ${record.decisions.map(({ type }) => type).join()}`);
    };
    const running = client.service(Probe).plain({ text: "" });
    await world.until(() => server.stats().inFlight === 1);
    const late = failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 40, onEnd }));
    let waited: CallRecord | undefined;
    const queued = client.service(Probe).plain({ text: "" }, { onEnd: ({ record }) => void (waited = record) });
    const refused = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, { onEnd })));
    assert.equal(refused.code, "resource_exhausted");
    assert.match(refused.message, /limits of this client \(laws\.Probe\/plain at .*, not sent/);
    assert.deepEqual([refused.handled, refused.method, refused.attempt], ["no", "plain", 0]);
    assert.equal((await world.run(late)).code, "deadline_exceeded");
    assert.deepEqual(ends, ["resource_exhausted queued", "deadline_exceeded queued"]);
    gate.resolve();
    await world.run(Promise.all([running, queued]));
    const [decision] = waited?.decisions ?? [];
    assert.ok(decision?.type === "queued" && decision.waitedMs >= 39 && waited !== undefined);
    assert.ok(waited.elapsedMs >= decision.waitedMs);
  });

  it("options out of range are refused where they are given", (world) => {
    const client = world.client("127.0.0.1:1");
    const cases = [
      [{ retry: { baseMs: 5, maxMs: 1 } }, /retry.baseMs and retry.maxMs/],
      [{ retry: { budget: { ratio: -1 } } }, /Retry budget/],
      [{ breaker: { failures: 0 } }, /breaker.failures/],
      [{ ejection: { maxPercent: -1 } }, /ejection.maxPercent/],
      [{ concurrency: { max: 0 } }, /concurrency.max/],
      [{ hedge: { percentile: 2 } }, /hedge.percentile/],
    ] as const;
    for (const [options, message] of cases) {
      assert.throws(() => client.service(Probe, options), message);
      assert.throws(() => client.service(Probe, { methods: { safe: options } }), message);
    }
    return Promise.resolve();
  });

  it("a client whose every proxy has options of its own says so before memory is gone", (world) => {
    const client = world.client("127.0.0.1:1");
    assert.throws(() => {
      for (let ms = 1; ms < 2000; ms++) client.service(Probe, { breaker: { openMs: ms } });
    }, /make each client\.service\(…\) once/);
    return Promise.resolve();
  });
});
