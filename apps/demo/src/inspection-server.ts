import { createServer, shutdownOnSignals } from "pipit";
import { Inspection } from "./contract.ts";
import { judge, readSpecification } from "./specification.ts";

/*
 * One inspection server, a process of its own: `node … inspection-server.ts LIMITS.json [PORT]`. Says its address to the
 * parent, drains when told to stop, and ends when the parent is gone.
 */

const [limitsPath = "", port = "0"] = process.argv.slice(2);
const specification = readSpecification(limitsPath);

const server = createServer();
server.handle(Inspection, {
  judge({ characteristic, value }, context) {
    const limits = specification.get(characteristic);
    if (limits === undefined) {
      throw context.error(
        "unknownCharacteristic",
        { characteristic },
        { message: `No limits for "${characteristic}"` },
      );
    }
    return { verdict: judge(value, limits) };
  },
});

try {
  const { port: listening } = await server.listen({ port: Number(port) });
  shutdownOnSignals(server);
  process.on("disconnect", () => void server.close({ graceMs: 0 }).then(() => process.exit(0)));
  process.send?.({ port: listening });
} catch (error) {
  process.send?.({ error: (error as Error).message });
  process.exitCode = 1;
  process.disconnect?.();
}
