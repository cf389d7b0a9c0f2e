import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { deferred, outcome } from "../support/outcome.ts";
import { worlds } from "../support/world.ts";
import { lawTwo } from "./law-2-deadlines.ts";

holdsEverywhere(lawTwo);

/** A clock whose process stands still for a while: timers that come due meanwhile fire when it goes on. */
class StallingClock implements Clock {
  readonly #clock: Clock;
  #untilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Stands still from now on for so many milliseconds. */
  stall(ms: number): void {
    this.#untilMs = this.now() + ms;
  }

  now(): number {
    return this.#clock.now();
  }

  soon(fn: () => void): void {
    this.#clock.soon(fn);
  }

  after(delayMs: number, fn: () => void, options?: Parameters<Clock["after"]>[2]): () => void {
    let cancel = this.#clock.after(
      delayMs,
      () => {
        const leftMs = this.#untilMs - this.now();
        if (leftMs > 0) cancel = this.#clock.after(leftMs, fn, options);
        else fn();
      },
      options,
    );
    return () => cancel();
  }
}

for (const [place, make] of Object.entries(worlds)) {
  if (!make().isVirtual) continue;
  for (const [stallMs, code] of [
    [200, undefined],
    [0, "deadline_exceeded"],
  ] as const) {
    const wins = code === undefined ? "wins over the deadline that passed in it" : "loses where there was no stall";
    test(`a reply that the kernel hands on 3 ms behind a stall ${wins} [${place}]`, async () => {
      const world = make();
      const clock = new StallingClock(world.clock);
      const reply = deferred<{ text: string }>();
      const server = world.server({ clock }).handle(Probe, { plain: () => reply.promise } as never);
      const client = world.client(await world.listen(server), { clock });
      const end = outcome(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 100 }));
      await world.pass(20);
      clock.stall(stallMs);
      await world.pass(stallMs === 0 ? 80 + 2 : stallMs + 2);
      reply.resolve({ text: "in time" });
      const ended = await world.run(end);
      assert.equal("error" in ended ? ended.error.code : undefined, code);
      await world.end();
    });
  }
}
