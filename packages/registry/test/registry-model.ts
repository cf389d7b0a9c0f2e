import assert from "node:assert/strict";
import type { Registry, Snapshot } from "../src/registry.ts";
import { settled } from "./fake-clock.ts";

/** Operations of one run. */
const operationCount = 100_000;
const maxWatchers = 12;

/** Integers from a seed: the same seed, the same run. */
export type Draw = (below: number) => number;

/** A registry under test beside what it should be saying. */
export interface ModelledRegistry {
  readonly registry: Registry;
  readonly services: readonly string[];
  /** Does one random thing to the registry, and the same to the model. Resolves when the registry shows it. */
  mutate(draw: Draw): Promise<void>;
  /** What the service should show, as {@link describe} writes it. */
  expected(service: string): string;
}

interface Watching {
  readonly service: string;
  readonly iterator: AsyncIterator<Snapshot>;
  readonly controller: AbortController;
  /** What its last snapshot said, and its revision. */
  seen: string | undefined;
  revision: number;
  /** The `next()` that waits, and what it brought. */
  waiting: boolean;
  arrived: IteratorResult<Snapshot>[];
}

/**
 * Random changes, watchers, slow readers, aborts and lists, each checked against the model: a reader that waits gets each
 * change, one that does not gets the newest state once, none gets an older one, and all agree with `list`.
 */
export async function checkAgainstModel(modelled: ModelledRegistry, seed: number): Promise<void> {
  const draw = createDraw(seed);
  const watchers: Watching[] = [];
  let operation = 0;
  try {
    for (; operation < operationCount; operation += 1) await step(modelled, watchers, draw);
  } catch (error) {
    throw new Error(`Seed ${seed}, operation ${operation}: ${(error as Error).message}`, { cause: error });
  }
  await modelled.registry.close();
  for (const watcher of watchers) if (!watcher.waiting) ask(watcher);
  await settled();
  for (const watcher of watchers) {
    const result = watcher.arrived.at(-1);
    assert.equal(result?.done, true, "a watcher outlived close");
  }
}

async function step(modelled: ModelledRegistry, watchers: Watching[], draw: Draw): Promise<void> {
  const { registry, services } = modelled;
  const service = services[draw(services.length)] as string;
  const index = draw(maxWatchers);
  const watcher = watchers[index];
  const action = draw(10);
  if (action < 4) await modelled.mutate(draw);
  else if (action < 5) assert.equal(describe(await registry.list(service)), modelled.expected(service), "list");
  else if (watcher === undefined) watchers.push(open(registry, service));
  else if (action < 9) {
    if (!watcher.waiting) ask(watcher);
  } else {
    if (draw(2) === 0) watcher.controller.abort();
    else await watcher.iterator.return?.();
    if (!watcher.waiting) ask(watcher);
    await settled();
    assert.equal(watcher.arrived.at(-1)?.done, true, "an ended watcher brought more");
    watchers[index] = open(registry, service);
  }
  await settled();
  for (const open of watchers) check(modelled, open);
}

function check(modelled: ModelledRegistry, watcher: Watching): void {
  const expected = modelled.expected(watcher.service);
  for (const result of watcher.arrived.splice(0)) {
    assert.notEqual(result.done, true, "a watcher ended by itself");
    assert.ok(result.value.revision > watcher.revision, `revision ${result.value.revision} after ${watcher.revision}`);
    watcher.revision = result.value.revision;
    watcher.seen = describe(result.value);
    assert.equal(watcher.seen, expected, "a snapshot is not the newest state");
  }
  if (watcher.waiting) assert.equal(watcher.seen, expected, "a waiting watcher missed a change");
}

function open(registry: Registry, service: string): Watching {
  const controller = new AbortController();
  const iterator = registry.watch(service, { signal: controller.signal })[Symbol.asyncIterator]();
  return { service, iterator, controller, seen: undefined, revision: -1, waiting: false, arrived: [] };
}

function ask(watcher: Watching): void {
  watcher.waiting = true;
  void watcher.iterator.next().then((result) => {
    watcher.waiting = false;
    watcher.arrived.push(result);
  });
}

/** A snapshot as text, in its order. */
export function describe({ instances }: Snapshot): string {
  return instances.map(({ id, generation, weight, state }) => `${id} ${generation} ${weight} ${state}`).join(", ");
}

/** Integers below a bound, from a seed (mulberry32). */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
