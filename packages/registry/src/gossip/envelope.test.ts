import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@pipit/simulation";
import { cheapAead } from "../../test/gossip/cheap-aead.ts";
import { Writer } from "./bytes.ts";
import { Envelope, MAX_LOOSE_PEERS } from "./envelope.ts";

const key = new Uint8Array(32).fill(7);

function envelope(seed: number): Envelope {
  return new Envelope("pipit", cheapAead(), [key], seededRandom(seed), 1_200);
}

test("a herd of strangers that each answer their challenge one round later all get in", () => {
  const seed = envelope(1);
  const random = seededRandom(2);
  const herd = Array.from({ length: 2 * MAX_LOOSE_PEERS }, (_, i) => ({
    envelope: envelope(100 + i),
    echo: undefined as Uint8Array | undefined,
  }));
  const w = new Writer(64);
  let outside = herd;
  let rounds = 0;
  while (outside.length > 0 && rounds < 60) {
    rounds++;
    outside = outside.filter((stranger) => {
      stranger.envelope.begin(w);
      w.u8(0);
      const opened = seed.open("stranger", stranger.envelope.finish(w, seed.salt), 0);
      assert.ok(opened !== undefined && "peer" in opened && opened.peer !== undefined);
      const { peer } = opened;
      if (peer.challenge !== undefined && peer.challenge === stranger.echo) {
        seed.vouch(peer.salt, "a member");
        return false;
      }
      peer.challenge ??= random.bytes(16);
      stranger.echo = peer.challenge;
      return true;
    });
  }
  assert.equal(outside.length, 0, `${outside.length} still outside after ${rounds} rounds`);
  assert.ok(rounds <= 30, `${rounds} rounds`);
});
