import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits } from "./limits.ts";
import { assertSpoken, decodePreface, encodePreface, matchMagic, ownPreface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { frameHeadBytes, magic } from "./wire.ts";

const own = ownPreface(defaultLimits, { id: "server-1", generation: "7" }, 0b10);

test("a preface is read as it was written, whatever a later version puts behind", () => {
  const bytes = encodePreface(own);
  const longer = new Uint8Array([...bytes, 1, 2, 3]);
  assert.deepEqual(decodePreface(longer, magic.length + frameHeadBytes, longer.length), own);
});

test("the magic is found however it is split, and what follows it is left", () => {
  for (let split = 0; split <= magic.length; split++) {
    assert.equal(matchMagic(magic.subarray(0, split), 0), split);
    assert.equal(matchMagic(new Uint8Array([...magic.subarray(split), 0xff]), split), magic.length - split);
  }
});

test("a single byte of another protocol is seen at once", () => {
  for (let at = 0; at < magic.length; at++) {
    const other = magic.map((byte, index) => (index === at ? byte ^ 1 : byte));
    assert.equal(matchMagic(other.subarray(0, at + 1), 0), undefined);
    assert.equal(matchMagic(other.subarray(at), at), undefined);
  }
});

test("peers need one version in common", () => {
  assertSpoken({ ...own, lowest: 1, highest: 9 });
  assert.throws(() => assertSpoken({ ...own, lowest: 2, highest: 9 }), ProtocolFault);
  assert.throws(() => assertSpoken({ ...own, lowest: 0, highest: 0 }), ProtocolFault);
});
