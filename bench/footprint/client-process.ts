import net from "node:net";
import { pipit } from "../rpc/pipit.ts";

/* Opens connections, each with a client of its own, or nothing but sockets, and makes some calls on each. Says its memory whenever asked. */

/** Calls before anything is measured: what is loaded and compiled once, and room for young objects, must not count for the connections. */
const warmCalls = 300_000;
const warmInFlight = 2000;

const [kind = "", port = ""] = process.argv.slice(2);
const open = kind === "net" ? bareSocket : whole;
const first = await open();
const lane = async (): Promise<void> => {
  for (let i = 0; i < warmCalls / warmInFlight; i++) await first();
};
// A bare socket answers one call after the other.
if (kind !== "net") await Promise.all(Array.from({ length: warmInFlight }, lane));

type Call = () => Promise<unknown>;
const held: Call[] = [];

process.on("message", ({ connections, callsEach }: { connections?: number; callsEach?: number }) => {
  if (connections === undefined) {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage().rss });
  } else void use(connections, callsEach ?? 1).then(() => process.send?.({}));
});
process.on("disconnect", () => process.exit(0));
process.send?.({});

async function use(connections: number, callsEach: number): Promise<void> {
  for (let i = 0; i < connections; i++) {
    const call = await open();
    await call();
    held.push(call);
  }
  for (let call = 1; call < callsEach; call++) await Promise.all(held.map((each) => each()));
}

async function whole(): Promise<Call> {
  const caller = await pipit.connect(Number(port));
  return () => caller.tiny("bench");
}

/** The raw limit's frame by hand (see `rpc/limit.ts`), on a socket with one listener. */
async function bareSocket(): Promise<Call> {
  const socket = net.connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  let answered = (): void => {};
  socket.on("data", () => answered());
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return () =>
    new Promise<void>((resolve) => {
      answered = resolve;
      socket.write(Buffer.from([11, 0, 0, 0, 0, 0, 0, 0, 0, 5, 98, 101, 110, 99, 104]));
    });
}
