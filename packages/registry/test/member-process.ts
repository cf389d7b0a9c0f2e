/**
 * One member in a process of its own: registers, watches, and writes what it sees to stdout, one JSON object a line.
 * Arguments: member id, service to serve, comma-separated services to watch, comma-separated seeds, IP address.
 * SIGTERM makes it leave.
 */
import { gossipRegistry } from "../src/gossip-registry.ts";
import type { MemberReport } from "./process-cluster.ts";

const [id, service, watched, seeds, address] = process.argv.slice(2) as [string, string, string, string, string];

const registry = gossipRegistry({ id, seeds: seeds === "" ? [] : seeds.split(","), host: address });
const { host, port } = await registry.open();
await registry.register({ id, service, host, port });
say({ type: "open", address: `${host}:${port}` });
for (const name of watched.split(",")) void follow(name);

process.on("SIGTERM", () => {
  void registry.close().then(() => process.exit(0));
});
// A member whose parent is gone has nobody to report to.
process.stdin.on("end", () => process.exit(0)).resume();

async function follow(name: string): Promise<void> {
  for await (const { instances } of registry.watch(name)) {
    const states = Object.fromEntries(instances.map((instance) => [instance.id, instance.state]));
    say({ type: "snapshot", service: name, atMs: performance.timeOrigin + performance.now(), states });
  }
}

function say(report: MemberReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
