import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "@pipit/simulation";
import { memoryReplyStore } from "./memory-reply-store.ts";
import type { ReplyClaim, ReplyClaimRequest } from "./reply-store.ts";

const request: ReplyClaimRequest = {
  caller: "alice",
  owner: "alice",
  method: "a/b",
  key: "k",
  requestDigest: "d",
  remainingMs: 1000,
};
/** What `for … of` over a map asks for its entries. */
const mapIterator = Object.getPrototypeOf(new Map().entries()) as { next: Iterator<unknown>["next"] };

const reply = { type: "reply", bytes: new Uint8Array(10) } as const;

function claimed(claim: unknown): Extract<ReplyClaim, { type: "claimed" }> {
  const answer = claim as ReplyClaim;
  assert.ok(answer.type === "claimed", answer.type);
  return answer;
}

test("a key is claimed once; later claims wait for its reply, then get it", async () => {
  const store = memoryReplyStore({ clock: virtualClock() });
  const first = claimed(store.claim(request));
  const second = store.claim(request) as ReplyClaim;
  assert.ok(second.type === "running");
  void first.commit(reply);
  assert.equal(await second.reply, reply);
  assert.deepEqual(store.claim(request), { type: "replied", reply });
});

test("a claim that is released can be claimed again, takes no room, and those that wait for it hear so", async () => {
  const store = memoryReplyStore({ clock: virtualClock(), maxEntries: 1 });
  const first = claimed(store.claim(request));
  const second = store.claim(request) as ReplyClaim;
  assert.ok(second.type === "running");
  void first.release?.();
  await assert.rejects(Promise.resolve(second.reply), { code: "unavailable" });
  void claimed(store.claim({ ...request, key: "other" })).release?.();
  await claimed(store.claim(request)).commit(reply);
  assert.deepEqual(store.claim(request), { type: "replied", reply });
});

test("caller, method and key tell calls apart, whatever characters they have", () => {
  const store = memoryReplyStore({ clock: virtualClock() });
  for (const part of [{}, { caller: 'alice","a/b' }, { method: "a/c" }, { key: "k2" }, { caller: "", key: "alice" }]) {
    claimed(store.claim({ ...request, ...part }));
  }
  assert.equal((store.claim({ ...request, requestDigest: "other" }) as ReplyClaim).type, "mismatch");
});

test("an entry expires after its time, and never before its call's deadline and a minute", async () => {
  const clock = virtualClock();
  const store = memoryReplyStore({ clock, ttlMs: 100 });
  await claimed(store.claim(request)).commit(reply);
  await clock.advance(60_999);
  assert.equal((store.claim(request) as ReplyClaim).type, "replied");
  await clock.advance(2);
  claimed(store.claim(request));
});

test("an entry that is kept long for its call's deadline keeps no other, and a full store says when the next one goes", async () => {
  const clock = virtualClock();
  const store = memoryReplyStore({ clock, maxEntries: 3 });
  await claimed(store.claim({ ...request, key: "long", remainingMs: 2 ** 53 })).commit(reply);
  await claimed(store.claim({ ...request, key: "short" })).commit(reply);
  await claimed(store.claim({ ...request, key: "shorter" })).commit(reply);
  const refused = store.claim({ ...request, key: "new" }) as ReplyClaim;
  assert.ok(refused.type === "full" && refused.retryAfterMs <= 600_001);
  await clock.advance(600_001);
  claimed(store.claim({ ...request, key: "new" }));
  assert.equal((store.claim({ ...request, key: "long" }) as ReplyClaim).type, "replied");
  claimed(store.claim({ ...request, key: "short" }));
});

test("a full store refuses new calls, by entries and by bytes, and forgets none before its time", async () => {
  const clock = virtualClock();
  const byCount = memoryReplyStore({ clock, maxEntries: 2 });
  claimed(byCount.claim({ ...request, key: "running" }));
  await claimed(byCount.claim(request)).commit(reply);
  const refused = byCount.claim({ ...request, key: "new" }) as ReplyClaim;
  assert.ok(refused.type === "full" && refused.retryAfterMs > 0);
  assert.equal((byCount.claim(request) as ReplyClaim).type, "replied");
  await clock.advance(600_001);
  claimed(byCount.claim({ ...request, key: "new" }));
  const byBytes = memoryReplyStore({ clock, maxBytes: 2000 });
  await claimed(byBytes.claim(request)).commit({ type: "reply", bytes: new Uint8Array(1900) });
  assert.equal((byBytes.claim({ ...request, key: "new" }) as ReplyClaim).type, "full");
});

test("one caller that fills its share, by entries or by bytes, leaves others theirs, and gets it back as its entries expire", async () => {
  const clock = virtualClock();
  const reply = { type: "reply", bytes: new Uint8Array(1000) } as const;
  for (const options of [{ maxEntries: 100 }, { maxBytes: 140_000 }]) {
    const store = memoryReplyStore({ clock, ...options });
    let calls = 0;
    const callUntilFull = async (owner: string): Promise<number> => {
      for (let count = 0; ; count++) {
        const claim = store.claim({
          ...request,
          caller: owner,
          owner,
          key: `${calls++}`,
        }) as ReplyClaim;
        if (claim.type === "full") return count;
        await claimed(claim).commit(reply);
      }
    };
    const greedy = await callUntilFull("greedy");
    assert.ok(greedy >= 90 && greedy <= 102, `${greedy}`);
    assert.ok((await callUntilFull("modest")) >= 3);
    assert.equal(await callUntilFull("greedy"), 0);
    await clock.advance(600_001);
    assert.equal(await callUntilFull("greedy"), greedy);
  }
});

test("a claim looks at no call that runs, however many there are", async () => {
  const clock = virtualClock();
  const steps = async (running: number): Promise<number> => {
    const store = memoryReplyStore({ clock });
    for (let i = 0; i < running; i++) claimed(store.claim({ ...request, key: `running ${i}` }));
    let count = 0;
    const { next } = mapIterator;
    mapIterator.next = function (this: Iterator<unknown>) {
      count++;
      return next.call(this);
    };
    try {
      for (let i = 0; i < 100; i++) await claimed(store.claim({ ...request, key: `${i}` })).commit(reply);
      await clock.advance(600_001);
      for (let i = 0; i < 100; i++) claimed(store.claim({ ...request, key: `${i}` }));
    } finally {
      mapIterator.next = next;
    }
    return count;
  };
  assert.equal(await steps(1000), await steps(10));
});

test("an option that leaves room for nothing is refused at once, by name", () => {
  for (const name of ["ttlMs", "maxEntries", "maxBytes"]) {
    for (const value of [0, -1, Number.NaN])
      assert.throws(() => memoryReplyStore({ [name]: value }), { name: "RangeError", message: new RegExp(name) });
  }
});
