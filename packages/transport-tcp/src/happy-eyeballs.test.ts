import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { type Attempt, attemptDelayMs, happyEyeballs, interleaved } from "./happy-eyeballs.ts";

test("families take turns, beginning with the family of the first address", () => {
  assert.deepEqual(interleaved(["::1", "::2", "::3", "10.0.0.1"]), ["::1", "10.0.0.1", "::2", "::3"]);
  assert.deepEqual(interleaved(["10.0.0.1", "10.0.0.2", "::1"]), ["10.0.0.1", "::1", "10.0.0.2"]);
  assert.deepEqual(interleaved([]), []);
});

test("the next address is tried when the head start is over, and the earlier attempt still races", async () => {
  const race = new Race(["::1", "10.0.0.1"]);
  assert.deepEqual(race.started, ["::1"]);
  race.advance(attemptDelayMs - 1);
  assert.deepEqual(race.started, ["::1"]);
  race.advance(1);
  assert.deepEqual(race.started, ["::1", "10.0.0.1"]);
  race.succeed("::1");
  assert.equal(await race.result, "::1");
  assert.deepEqual(race.cancelled, ["10.0.0.1"]);
});

test("the next address is tried at once when one fails", async () => {
  const race = new Race(["::1", "10.0.0.1"]);
  await race.fail("::1", new Error("refused"));
  assert.deepEqual(race.started, ["::1", "10.0.0.1"]);
  race.succeed("10.0.0.1");
  assert.equal(await race.result, "10.0.0.1");
  assert.equal(race.timers.size, 0);
});

test("when all fail, the only error comes as it is, several come together", async () => {
  const refused = new Error("refused");
  const one = new Race(["10.0.0.1"]);
  await one.fail("10.0.0.1", refused);
  await assert.rejects(one.result, refused);
  const two = new Race(["10.0.0.1", "::1"]);
  await two.fail("10.0.0.1", refused);
  await two.fail("::1", refused);
  await assert.rejects(two.result, (error: unknown) => error instanceof AggregateError && error.errors.length === 2);
});

test("an abort cancels every attempt and rejects with the signal's reason", async () => {
  const race = new Race(["::1", "10.0.0.1", "::2"]);
  race.advance(attemptDelayMs);
  const reason = new Error("Enough");
  race.controller.abort(reason);
  await assert.rejects(race.result, reason);
  assert.deepEqual(race.cancelled, ["::1", "10.0.0.1"]);
  assert.equal(race.timers.size, 0);
});

test("two that succeed in one turn: one wins, the other is cancelled", async () => {
  const race = new Race(["::1", "10.0.0.1"]);
  race.advance(attemptDelayMs);
  race.succeed("::1");
  race.succeed("10.0.0.1");
  assert.equal(await race.result, "::1");
  assert.ok(race.cancelled.includes("10.0.0.1"));
});

test("a name with no addresses fails at once", async () => {
  await assert.rejects(new Race([]).result, AggregateError);
});

/** A race whose attempts end when told, on a clock that moves when told. */
class Race implements Clock {
  readonly started: string[] = [];
  readonly cancelled: string[] = [];
  readonly controller = new AbortController();
  readonly timers = new Map<() => void, number>();
  readonly result: Promise<string>;
  readonly #ends = new Map<string, { resolve: (address: string) => void; reject: (error: Error) => void }>();
  #nowMs = 0;

  constructor(addresses: string[]) {
    const start = (address: string): Attempt<string> => {
      this.started.push(address);
      return {
        result: new Promise((resolve, reject) => this.#ends.set(address, { resolve, reject })),
        cancel: () => void this.cancelled.push(address),
      };
    };
    this.result = happyEyeballs(addresses, start, { clock: this, signal: this.controller.signal });
    this.result.catch(() => undefined);
  }

  succeed(address: string): void {
    this.#ends.get(address)?.resolve(address);
  }

  async fail(address: string, error: Error): Promise<void> {
    this.#ends.get(address)?.reject(error);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const [fn, atMs] of this.timers) {
      if (atMs > this.#nowMs) continue;
      this.timers.delete(fn);
      fn();
    }
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = (): void => fn();
    this.timers.set(timer, this.#nowMs + delayMs);
    return () => void this.timers.delete(timer);
  }

  soon(): void {
    assert.fail("not needed");
  }
}
