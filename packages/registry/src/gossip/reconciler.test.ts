import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Member } from "./members.ts";
import { ALIVE, emptyUpdate } from "./messages.ts";
import { Node } from "./node.ts";
import { Reconciler } from "./reconciler.ts";

/** Nobody is quiet: news is always under way somewhere, as on a network that loses a lot. */
const NOT_QUIET = 0;

let asked: string[];
let reconciler: Reconciler;
let peers: Member[];
let node: Node;

beforeEach(() => {
  asked = [];
  node = new Node(
    { id: "a", address: "10.0.0.1:1", generation: 1 },
    { u32: () => 1, bytes: (n) => new Uint8Array(n) },
    { datagram() {}, stream: (to) => void asked.push(to), wake() {}, event() {} },
  );
  reconciler = new Reconciler(node, {
    apply: () => false,
    pull() {},
    probeNow() {},
    writeChallenge() {},
  });
  peers = ["b", "c", "d"].map((id, i) =>
    node.table.add({ ...emptyUpdate(), id, address: `10.0.0.${i + 2}:1`, generation: 1, rank: ALIVE }, 0),
  );
  node.nowMs = 0;
  reconciler.start(0);
});

/** An ack of this peer shows a view that differs. */
function differs(peer: number, nowMs: number): void {
  const m = peers[peer] as Member;
  reconciler.viewSeen(m, node.table.hashHigh ^ 1, node.table.hashLow, NOT_QUIET, nowMs);
}

function agrees(peer: number, nowMs: number): void {
  const m = peers[peer] as Member;
  reconciler.viewSeen(m, node.table.hashHigh, node.table.hashLow, NOT_QUIET, nowMs);
}

test("amid news, views are compared once nobody has agreed for 5 s", () => {
  differs(0, 500);
  differs(1, 4_900);
  assert.deepEqual(asked, []);
  differs(2, 5_100);
  assert.deepEqual(asked, ["10.0.0.4:1"]);
});

test("a peer that does not answer is followed by the next one after 2 s, not after 5 more", () => {
  differs(0, 5_100);
  differs(1, 6_600);
  assert.deepEqual(asked, ["10.0.0.2:1"], "the first has time to answer");
  differs(1, 7_200);
  assert.deepEqual(asked, ["10.0.0.2:1", "10.0.0.3:1"]);
  differs(2, 9_300);
  assert.deepEqual(asked, ["10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"]);
});

test("once somebody agrees, the peer that never answered makes nobody else be asked", () => {
  differs(0, 5_100);
  agrees(1, 6_000);
  differs(2, 7_500);
  assert.deepEqual(asked, ["10.0.0.2:1"]);
});
