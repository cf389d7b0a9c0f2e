import { holdHeap } from "../support/heap.ts";
import { systems } from "./systems.ts";

/* The server of one system: says its port, then its CPU time whenever asked. */

holdHeap();
const [name = ""] = process.argv.slice(2);
const system = await systems[name]?.();
if (system === undefined) throw new Error(`Unknown system ${name}`);
const port = await system.serve();
process.on("message", () => process.send?.({ cpuMs: cpuMs() }));
process.on("disconnect", () => process.exit(0));
process.send?.({ port, name: system.name });

function cpuMs(): number {
  const { user, system: kernel } = process.cpuUsage();
  return (user + kernel) / 1000;
}
