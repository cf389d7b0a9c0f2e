import { pipit } from "../rpc/pipit.ts";

/* Opens connections, each with a client of its own, and makes some calls on each. Says its memory whenever asked. */

const [port = ""] = process.argv.slice(2);

// What is loaded and compiled once must not count for the connections.
const first = await pipit.connect(Number(port));
for (let i = 0; i < 1000; i++) await first.tiny("bench");

const held: unknown[] = [];

process.on("message", ({ connections, callsEach }: { connections?: number; callsEach?: number }) => {
  if (connections === undefined) {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage().rss });
  } else void open(connections, callsEach ?? 1).then(() => process.send?.({}));
});
process.on("disconnect", () => process.exit(0));
process.send?.({});

async function open(connections: number, callsEach: number): Promise<void> {
  const callers = [];
  for (let i = 0; i < connections; i++) {
    const caller = await pipit.connect(Number(port));
    await caller.tiny("bench");
    callers.push(caller);
  }
  for (let call = 1; call < callsEach; call++) await Promise.all(callers.map((caller) => caller.tiny("bench")));
  held.push(...callers);
}
