import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InstanceView, Lease, Registration, Registry, Snapshot } from "../src/registry.ts";

/** The service that every registry under test serves, by instances "a" and "b" at the start. */
export const suiteService = "suite.Service";

/** One fresh registry and the levers that the suite pulls. */
export interface RegistryUnderTest {
  readonly registry: Registry;
  /** Makes exactly these ids serve {@link suiteService}; not called where nothing ever changes. */
  readonly serve: (ids: readonly string[]) => Promise<void>;
}

/** What a registry says about itself to be held to the contract. */
export interface RegistrySuite {
  /** Opens a registry in which "a" and "b" serve {@link suiteService}. */
  open(): Promise<RegistryUnderTest>;
  /** Whether `register` is refused by design. */
  readonly readOnly?: boolean;
  /** The name that the suite knows an instance by. Default: its id. */
  readonly label?: (instance: InstanceView) => string;
  /** Whether nothing ever changes, which leaves out the laws about change. */
  readonly constant?: boolean;
}

/** Levers for a registry whose instances come from `register`. */
export async function openWritable(registry: Registry): Promise<RegistryUnderTest> {
  const leases = new Map<string, Lease>();
  const serve = async (wanted: readonly string[]): Promise<void> => {
    for (const id of wanted) if (!leases.has(id)) leases.set(id, await registry.register(registration(id)));
    for (const [id, lease] of leases) {
      if (wanted.includes(id)) continue;
      leases.delete(id);
      await lease.release();
    }
  };
  await serve(["a", "b"]);
  return { registry, serve };
}

/** The contract of `Registry`, as tests. Each registry runs it in a dozen lines. */
export function registrySuite(name: string, suite: RegistrySuite): void {
  const law = (title: string, run: (opened: RegistryUnderTest) => Promise<void>): void => {
    test(title, { timeout: 20_000 }, async () => {
      const opened = await suite.open();
      try {
        await run(opened);
      } finally {
        await opened.registry.close();
      }
    });
  };

  const ids = (snapshot: Snapshot): string[] => snapshot.instances.map(suite.label ?? (({ id }) => id));

  describe(`${name} keeps the registry contract:`, () => {
    law("the first snapshot is full and comes at once", async ({ registry }) => {
      assert.deepEqual(ids(await firstOf(registry)), ["a", "b"]);
    });

    law("list equals the first snapshot of a watcher", async ({ registry }) => {
      const watched = await firstOf(registry);
      assert.deepEqual((await registry.list(suiteService)).instances, watched.instances);
    });

    law("a service that nobody serves is empty, not absent", async ({ registry }) => {
      assert.deepEqual(ids(await firstOf(registry, "suite.Nobody")), []);
    });

    law("snapshots are frozen through", async ({ registry }) => {
      const snapshot = await firstOf(registry);
      assert.ok(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.instances));
      for (const instance of snapshot.instances) {
        assert.ok(Object.isFrozen(instance) && Object.isFrozen(instance.metadata));
      }
    });

    law("two iterators of one watch are two subscriptions", async ({ registry }) => {
      const watch = registry.watch(suiteService);
      const [one, two] = [watch[Symbol.asyncIterator](), watch[Symbol.asyncIterator]()];
      assert.deepEqual(ids(await take(one)), ["a", "b"]);
      await one.return?.();
      assert.deepEqual(ids(await take(two)), ["a", "b"]);
    });

    law("leaving the loop ends the iterator for good", async ({ registry }) => {
      const iterator = registry.watch(suiteService)[Symbol.asyncIterator]();
      await take(iterator);
      await iterator.return?.();
      assert.equal((await iterator.next()).done, true);
    });

    law("a second next() while one waits is refused", async ({ registry }) => {
      const iterator = registry.watch(suiteService)[Symbol.asyncIterator]();
      await take(iterator);
      const waiting = iterator.next();
      await assert.rejects(iterator.next(), /Cannot ask for the next snapshot/);
      await iterator.return?.();
      assert.equal((await waiting).done, true);
    });

    law("abort ends a waiting iteration without an error", async ({ registry }) => {
      const controller = new AbortController();
      const iterator = registry.watch(suiteService, { signal: controller.signal })[Symbol.asyncIterator]();
      await take(iterator);
      const waiting = iterator.next();
      controller.abort();
      assert.equal((await waiting).done, true);
    });

    law("a signal aborted beforehand gives no snapshot", async ({ registry }) => {
      const iterator = registry.watch(suiteService, { signal: AbortSignal.abort() })[Symbol.asyncIterator]();
      assert.equal((await iterator.next()).done, true);
    });

    law("close ends all watchers, and twice is fine", async ({ registry }) => {
      const iterators = [1, 2, 3].map(() => registry.watch(suiteService)[Symbol.asyncIterator]());
      for (const iterator of iterators) await take(iterator);
      const waiting = iterators.map((iterator) => iterator.next());
      await registry.close();
      await registry.close();
      for (const result of await Promise.all(waiting)) assert.equal(result.done, true);
    });

    law("use after close is a clear error", async ({ registry }) => {
      await registry.close();
      assert.throws(() => registry.watch(suiteService), /Cannot watch service "suite.Service": the registry is closed/);
      await assert.rejects(registry.list(suiteService), /Cannot list service "suite.Service": the registry is closed/);
      if (suite.readOnly === true) return;
      await assert.rejects(registry.register(registration("c")), /Cannot register "c": the registry is closed/);
    });

    law("a malformed service name is a TypeError at once", async ({ registry }) => {
      assert.throws(() => registry.watch(""), TypeError);
      await assert.rejects(registry.list(""), TypeError);
    });

    if (suite.readOnly === true) {
      law("register is refused in words", async ({ registry }) => {
        await assert.rejects(registry.register(registration("c")), /Cannot register "c": .* is read-only/);
      });
    } else {
      writableLaws(law, ids);
    }
    if (suite.constant !== true) changingLaws(law, ids);
  });
}

type Ids = (snapshot: Snapshot) => string[];
type Law = (title: string, run: (opened: RegistryUnderTest) => Promise<void>) => void;

function changingLaws(law: Law, ids: Ids): void {
  law("each change brings a newer revision, never an older state", async ({ registry, serve }) => {
    const iterator = registry.watch(suiteService)[Symbol.asyncIterator]();
    let previous = await take(iterator);
    for (const next of [["a"], ["a", "c"], ["c"], ["b", "c"]]) {
      const waiting = take(iterator);
      await serve(next);
      let snapshot = await waiting;
      assert.ok(snapshot.revision > previous.revision);
      while (ids(snapshot).join() !== next.join()) {
        previous = snapshot;
        snapshot = await take(iterator);
        assert.ok(snapshot.revision > previous.revision);
      }
      previous = snapshot;
    }
  });

  law("a slow reader skips to the newest snapshot, and then waits", async ({ registry, serve }) => {
    const iterator = registry.watch(suiteService)[Symbol.asyncIterator]();
    await take(iterator);
    await serve(["a"]);
    await serve(["a", "c"]);
    await serve(["b"]);
    assert.deepEqual(ids(await take(iterator)), ["b"]);
    let settled = false;
    const waiting = iterator.next().finally(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(settled, false);
    await iterator.return?.();
    await waiting;
  });

  law("a late subscriber gets the current state at once", async ({ registry, serve }) => {
    const early = registry.watch(suiteService)[Symbol.asyncIterator]();
    const first = await take(early);
    await serve(["b", "c"]);
    const seen = await take(early);
    const late = await firstOf(registry);
    assert.deepEqual(ids(late), ["b", "c"]);
    assert.ok(seen.revision > first.revision && late.revision >= seen.revision);
  });

  law("a service that empties and returns still rises", async ({ registry, serve }) => {
    const before = await firstOf(registry);
    await serve([]);
    const empty = await firstOf(registry);
    await serve(["a"]);
    const after = await firstOf(registry);
    assert.ok(before.revision < empty.revision && empty.revision < after.revision);
    assert.deepEqual([ids(empty), ids(after)], [[], ["a"]]);
  });

  law("a change of one service wakes no watcher of another", async ({ registry, serve }) => {
    const iterator = registry.watch("suite.Nobody")[Symbol.asyncIterator]();
    await take(iterator);
    let woken = false;
    const waiting = iterator.next().finally(() => (woken = true));
    await serve(["c"]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(woken, false);
    await iterator.return?.();
    await waiting;
  });
}

function writableLaws(law: Law, ids: Ids): void {
  law("a registration appears with its fields and defaults", async ({ registry }) => {
    const lease = await registry.register({ ...registration("c"), zone: "z1", metadata: { role: "canary" } });
    const found = (await registry.list(suiteService)).instances.find(({ id }) => id === "c");
    assert.ok(found !== undefined && found.generation > 0);
    const { generation, ...rest } = found;
    assert.equal(lease.instance.generation, generation);
    assert.deepEqual(rest, {
      id: "c",
      service: suiteService,
      host: "127.0.0.1",
      port: 50_051,
      weight: 1,
      zone: "z1",
      version: "",
      metadata: { role: "canary" },
      state: "up",
    });
  });

  law("update changes what it names and leaves the rest", async ({ registry }) => {
    const lease = await registry.register({ ...registration("c"), zone: "z1", weight: 2 });
    await lease.update({ weight: 3, metadata: { b: "2" } });
    const found = (await registry.list(suiteService)).instances.find(({ id }) => id === "c");
    assert.deepEqual([found?.weight, found?.zone, found?.metadata], [3, "z1", { b: "2" }]);
    assert.equal(lease.instance.weight, 3);
  });

  law("a malformed update changes nothing", async ({ registry }) => {
    const lease = await registry.register(registration("c"));
    const { revision } = await registry.list(suiteService);
    await assert.rejects(lease.update({ weight: Number.NaN }), RangeError);
    assert.equal((await registry.list(suiteService)).revision, revision);
  });

  law("drain shows draining, and twice is fine", async ({ registry }) => {
    const lease = await registry.register(registration("c"));
    await lease.drain();
    await lease.drain();
    const states = (await registry.list(suiteService)).instances.map(({ id, state }) => `${id} ${state}`);
    assert.deepEqual(states, ["a up", "b up", "c draining"]);
  });

  law("release removes, and twice is fine", async ({ registry }) => {
    const lease = await registry.register(registration("c"));
    await lease.release();
    await lease.release();
    assert.deepEqual(ids(await registry.list(suiteService)), ["a", "b"]);
    await assert.rejects(lease.update({ weight: 2 }), /Cannot update "c" of "suite.Service": its lease was released/);
    await assert.rejects(lease.drain(), /Cannot drain "c" of "suite.Service": its lease was released/);
  });

  law("leaving a using block releases", async ({ registry }) => {
    {
      await using lease = await registry.register(registration("c"));
      using other = await registry.register(registration("d"));
      assert.deepEqual([lease.instance.id, other.instance.id], ["c", "d"]);
      assert.deepEqual(ids(await registry.list(suiteService)), ["a", "b", "c", "d"]);
    }
    assert.deepEqual(ids(await registry.list(suiteService)), ["a", "b"]);
  });

  law("a newer generation replaces the older, whose lease then does nothing", async ({ registry }) => {
    const old = await registry.register(registration("c"));
    const { generation } = old.instance;
    await assert.rejects(registry.register({ ...registration("c"), generation }), /expected a newer one/);
    const young = await registry.register({ ...registration("c"), port: 2, generation: generation + 1 });
    await old.release();
    await assert.rejects(old.drain(), /was replaced by a newer/);
    const found = (await registry.list(suiteService)).instances.find(({ id }) => id === "c");
    assert.deepEqual([found?.port, found?.state], [2, "up"]);
    await young.release();
    assert.deepEqual(ids(await registry.list(suiteService)), ["a", "b"]);
  });

  law("release after close is fine, other use of the lease is an error", async ({ registry }) => {
    const lease = await registry.register(registration("c"));
    await registry.close();
    await lease.release();
    await assert.rejects(lease.drain(), /Cannot drain "c": the registry is closed/);
  });

  law("a malformed registration is refused by field", async ({ registry }) => {
    const bad: [Partial<Registration>, RegExp][] = [
      [{ id: "" }, /Cannot use "" as an instance's id/],
      [{ service: "" }, /as an instance's service/],
      [{ host: "" }, /as an instance's host/],
      [{ port: 65_536 }, /Cannot register "c": port is 65536, expected 0 to 65535/],
      [{ weight: -1 }, /Cannot register "c": weight is -1, expected a number ≥ 0/],
      [{ metadata: { k: 1 as unknown as string } }, /Cannot register "c": metadata\["k"\] is 1, expected a string/],
    ];
    for (const [fields, message] of bad) {
      await assert.rejects(registry.register({ ...registration("c"), ...fields }), message);
    }
    assert.deepEqual(ids(await registry.list(suiteService)), ["a", "b"]);
  });

  law("a metadata key named __proto__ is an ordinary key", async ({ registry }) => {
    const metadata = JSON.parse('{ "__proto__": "x" }') as Record<string, string>;
    await registry.register({ ...registration("c"), metadata });
    const found = (await registry.list(suiteService)).instances.find(({ id }) => id === "c");
    assert.deepEqual(Object.entries(found?.metadata ?? {}), [["__proto__", "x"]]);
  });
}

/** What the suite registers under `id`. */
export function registration(id: string): Registration {
  return { id, service: suiteService, host: "127.0.0.1", port: 50_051 };
}

/** The next snapshot of an iterator that must not be done. */
export async function take(iterator: AsyncIterator<Snapshot>): Promise<Snapshot> {
  const result = await iterator.next();
  assert.notEqual(result.done, true, "the iteration ended early");
  return result.value;
}

/** What a new watcher sees first. */
export async function firstOf(registry: Registry, service: string = suiteService): Promise<Snapshot> {
  for await (const snapshot of registry.watch(service)) return snapshot;
  throw new assert.AssertionError({ message: "the iteration ended without a snapshot" });
}
