import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Deadline, DeadlineHeap } from "./deadline-heap.ts";

test("deadlines leave in order of time, then of setting, whatever was moved or cancelled", () => {
  const step = fc.tuple(fc.nat(15), fc.option(fc.nat(20), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const heap = new DeadlineHeap();
      const all = Array.from({ length: 16 }, () => new Deadline(() => {}, false));
      const model = new Map<Deadline, { at: number; order: number }>();
      steps.forEach(([index, at], order) => {
        const d = all[index] as Deadline;
        if (at === undefined) {
          heap.cancel(d);
          model.delete(d);
        } else {
          heap.set(d, at);
          model.set(d, { at, order });
        }
      });
      const wanted = [...model].sort(([, a], [, b]) => a.at - b.at || a.order - b.order).map(([d]) => d);
      assert.equal(heap.size, wanted.length);
      for (const d of wanted) {
        assert.equal(heap.first, d);
        heap.cancel(d);
        assert.equal(d.isSet, false);
      }
    }),
  );
});
