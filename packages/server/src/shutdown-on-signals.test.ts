import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseOptions, Server } from "./create-server.ts";
import { shutdownOnSignals } from "./shutdown-on-signals.ts";

function fakeServer(closed: (CloseOptions | undefined)[], fails = false): Server {
  return {
    close(options?: CloseOptions) {
      closed.push(options);
      return fails ? Promise.reject(new Error("stuck")) : Promise.resolve();
    },
  } as Server;
}

test("the first signal closes the server, then nobody listens any more", async () => {
  const closed: (CloseOptions | undefined)[] = [];
  const before = process.listenerCount("SIGTERM");
  await new Promise<void>((resolve) => {
    shutdownOnSignals(fakeServer(closed), { graceMs: 7, onClosed: resolve });
    assert.equal(process.listenerCount("SIGTERM"), before + 1);
    process.emit("SIGTERM");
  });
  assert.deepEqual(closed, [{ graceMs: 7 }]);
  assert.deepEqual([process.listenerCount("SIGTERM"), process.listenerCount("SIGINT") >= 0], [before, true]);
});

test("stopping leaves no listener behind", () => {
  const before = process.listenerCount("SIGINT");
  const stop = shutdownOnSignals(fakeServer([]));
  assert.equal(process.listenerCount("SIGINT"), before + 1);
  stop();
  stop();
  assert.equal(process.listenerCount("SIGINT"), before);
});
