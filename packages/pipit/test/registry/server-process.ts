/**
 * One server in a process of its own: a member that serves {@link Probe} by its own name, and leaves on SIGTERM. Arguments:
 * name, comma-separated seeds. Writes its gossip address once it serves.
 */
import { createServer, gossipRegistry, shutdownOnSignals } from "pipit";
import { Probe } from "../support/contracts.ts";

const [name, seeds] = process.argv.slice(2) as [string, string];

const registry = gossipRegistry({ id: name, seeds: seeds === "" ? [] : seeds.split(",") });
const { host, port } = await registry.open();
const server = createServer({ registry, id: name });
server.handle(Probe, { plain: () => ({ text: name }) } as never);
await server.listen({ port: 0 });
shutdownOnSignals(server, { onClosed: () => registry.close() });
process.stdout.write(`${host}:${port}\n`);
// A server whose parent is gone serves nobody.
process.stdin.on("end", () => process.exit(1)).resume();
(process.stdin as Partial<{ unref(): void }>).unref?.();
