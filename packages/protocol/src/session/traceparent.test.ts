import assert from "node:assert/strict";
import { test } from "node:test";
import { isTraceparent } from "./traceparent.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";

const cases: readonly [text: string, valid: boolean, why: string][] = [
  [`00-${trace}-${parent}-01`, true, "version 00"],
  [`00-${trace}-${parent}-ff`, true, "any flags"],
  [`cc-${trace}-${parent}-01`, true, "a later version"],
  [`cc-${trace}-${parent}-01-what the future`, true, "a later version that says more"],
  ["", false, "nothing"],
  [`00-${trace}-${parent}`, false, "no flags"],
  [`00-${trace}-${parent}-01-more`, false, "version 00 says no more"],
  [`00-${trace}-${parent}-01\n`, false, "a line's end"],
  [`cc-${trace}-${parent}-01x`, false, "more without a hyphen"],
  [`ff-${trace}-${parent}-01`, false, "the version that is none"],
  [`00-${trace.toUpperCase()}-${parent}-01`, false, "capital digits"],
  [`00-${"0".repeat(32)}-${parent}-01`, false, "no trace id"],
  [`00-${trace}-${"0".repeat(16)}-01`, false, "no parent id"],
  [`00-${trace}0-${parent}-01`, false, "a trace id too long"],
  [`00-${trace}-${parent.slice(1)}-01`, false, "a parent id too short"],
  [` 00-${trace}-${parent}-01`, false, "a space"],
];

for (const [text, valid, why] of cases) {
  test(`a trace context is ${valid ? "taken" : "dropped"}: ${why}`, () => assert.equal(isTraceparent(text), valid));
}
