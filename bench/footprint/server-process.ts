import { systems } from "../rpc/systems.ts";

/* The server of one system: says its port, then its memory whenever asked. */

const [name = ""] = process.argv.slice(2);
const system = await systems[name]?.();
if (system === undefined) throw new Error(`Unknown system ${name}`);
const port = await system.serve();
process.on("message", () => {
  globalThis.gc?.();
  process.send?.({ rss: process.memoryUsage().rss });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ port });
