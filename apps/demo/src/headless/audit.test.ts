import assert from "node:assert/strict";
import { test } from "node:test";
import { audit } from "./audit.ts";

const count = { recorded: 0, duplicates: 0 };

test("what stations measured in turn is what is expected of each characteristic", () => {
  // turning-1 measures the diameter first, then the roughness: of 7 measurements 4 and 3.
  const diameter = { ...count, station: "turning-1", characteristic: "shaft diameter", lastSequence: 7, recorded: 4 };
  const roughness = { ...count, station: "turning-1", characteristic: "shaft roughness", lastSequence: 6, recorded: 3 };
  assert.deepEqual(audit([diameter, roughness]), { recorded: 7, lost: 0, doubled: 0, repeated: 0 });
  assert.equal(audit([{ ...diameter, recorded: 3 }]).lost, 1);
  assert.equal(audit([{ ...roughness, recorded: 5, duplicates: 2 }]).doubled, 2);
  assert.equal(audit([{ ...roughness, duplicates: 2 }]).repeated, 2);
});
