import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilityIndices } from "./capability.ts";
import { histogram } from "./histogram.ts";

test("Cp and Cpk of the NIST e-Handbook's example (6.1.6): 1.0 and 0.6667", () => {
  const { cp, cpk } = capabilityIndices({ mean: 16, sigmaWithin: 2, sigmaOverall: 2, lower: 8, upper: 20 });
  assert.equal(cp, 1);
  assert.equal(cpk?.toFixed(4), "0.6667");
});

test("Cp of Montgomery's hard-bake process (section 6.2): 1.192", () => {
  const sigmaWithin = 0.32521 / 2.326;
  const { cp } = capabilityIndices({ mean: 1.5056, sigmaWithin, sigmaOverall: sigmaWithin, lower: 1, upper: 2 });
  assert.equal(cp?.toFixed(3), "1.192");
});

test("Pp and Ppk take the sigma of all measurements", () => {
  const { cp, cpk, pp, ppk } = capabilityIndices({ mean: 1, sigmaWithin: 1, sigmaOverall: 2, lower: -6, upper: 6 });
  assert.deepEqual([cp, cpk, pp, ppk], [2, 5 / 3, 1, 5 / 6]);
});

test("what cannot be said is absent", () => {
  assert.deepEqual(capabilityIndices({ mean: 1, sigmaOverall: 1 }), {
    cp: undefined,
    cpk: undefined,
    pp: undefined,
    ppk: undefined,
  });
  const { cp, cpk, pp, ppk } = capabilityIndices({ mean: 1, sigmaOverall: 1, upper: 4 });
  assert.deepEqual([cp, cpk, pp, ppk], [undefined, undefined, undefined, 1]);
  assert.equal(capabilityIndices({ mean: 1, sigmaOverall: 0, lower: 0, upper: 4 }).ppk, undefined);
});

test("a histogram counts every value once, the greatest included", () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  const { from, to, counts } = histogram(values);
  assert.deepEqual([from, to, counts], [0, 99, new Array(10).fill(10)]);
  assert.deepEqual(histogram([2, 2, 2]), { from: 2, to: 2, counts: [3] });
  assert.deepEqual(histogram([]), { from: 0, to: 0, counts: [] });
});
