import { createClient } from "pipit";
import { Idle } from "./contract.ts";
import { type UsageRequest, usage } from "./usage.ts";

/* A client needs one connection to a server, so as many clients as connections. */

/** Connects at once; more would wait in the server's backlog. */
const lanes = 100;

const [port = ""] = process.argv.slice(2);
process.on("message", (request: UsageRequest | { readonly connections: number }) => {
  if ("collect" in request) process.send?.(usage(request));
  else void open(request.connections).then(() => process.send?.({ ready: true }));
});
process.on("disconnect", () => process.exit(0));
process.send?.(usage({ collect: true }));

async function open(connections: number): Promise<void> {
  let left = connections;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const client = createClient({ target: `127.0.0.1:${port}` });
      await client.call(Idle.methods.echo, { text: "a" });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
