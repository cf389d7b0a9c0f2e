import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type GossipRegistry, gossipRegistry, RpcError, type Server } from "pipit";
import { Fleet, type Fate, NewFleet, type Order, type Report } from "./contract.ts";

/* One server of the fleet. It loads first and listens when told, so that a restart costs no more than the restart. */

let serviceMs = 0;
let fate: Fate = "serve";
let server: Server | undefined;
let registry: GossipRegistry | undefined;

process.on("message", (order: Order) => void obey(order));
process.on("disconnect", () => process.exit(0));
say({ type: "loaded" });

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case "listen":
      await listen(order);
      return;
    case "behave":
      ({ serviceMs, fate } = order);
      return;
    case "stop":
      await server?.close();
      await registry?.close();
      process.exit(0);
      break;
    case "rest":
      await server?.close({ graceMs: 0 });
      await registry?.destroy();
      [server, registry, fate] = [undefined, undefined, "serve"];
      say({ type: "loaded" });
      return;
    default:
      order satisfies never;
  }
}

async function listen({ port, contract, serviceMs: ms, seeds }: Extract<Order, { type: "listen" }>): Promise<void> {
  serviceMs = ms;
  let gossip: string | undefined;
  if (seeds !== undefined) {
    registry = gossipRegistry({ seeds });
    const { host, port: gossipPort } = await registry.open();
    gossip = `${host}:${gossipPort}`;
  }
  server = createServer({ registry, onError: () => {} });
  const work = async ({ n }: { readonly n: number }): Promise<{ n: number; server: string }> => {
    if (fate === "unavailable") throw new RpcError("unavailable", "Told to fail");
    if (fate === "throw") throw new Error("Told to throw");
    await sleep(serviceMs);
    return { n, server: String(process.pid) };
  };
  if (contract === "old") server.handle(Fleet, { get: work });
  else server.handle(NewFleet, { get: work, added: work });
  const address = await server.listen({ port });
  say({ type: "listening", port: address.port, gossip });
}

function say(report: Report): void {
  process.send?.(report);
}
