import net from "node:net";
import { ServiceBroker } from "moleculer";
import { versionOf } from "../support/version.ts";
import type { System } from "./system.ts";

/* Its TCP transporter needs the peers' addresses up front: the port is agreed on by the runner. */

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function broker(nodeID: string, port: number, serverPort: number): Promise<ServiceBroker> {
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: {
      type: "TCP",
      options: {
        udpDiscovery: false,
        port,
        // Its types know of one file's path only; its documents and its code, of a list of nodes.
        urls: [
          `127.0.0.1:${serverPort}/server`,
          ...(nodeID === "server" ? [] : [`127.0.0.1:${port}/client`]),
        ] as unknown as string,
        useHostname: false,
        gossipPeriod: 1,
      },
    },
  });
}

export const moleculer: System = {
  name: `Moleculer ${versionOf("moleculer")} (TCP)`,
  async serve() {
    const port = await freePort();
    const node = await broker("server", port, port);
    node.createService({
      name: "greeter",
      actions: {
        hello: (ctx: { params: { name: string } }) => ({ message: `Hello, ${ctx.params.name}!` }),
        order: (ctx: { params: unknown }) => ctx.params,
      },
    });
    await node.start();
    return port;
  },
  async connect(port) {
    const node = await broker("client", await freePort(), port);
    await node.start();
    await node.waitForServices("greeter", 20_000);
    return {
      tiny: (name) => node.call("greeter.hello", { name }) as Promise<{ message: string }>,
      order: (order) => node.call("greeter.order", order) as Promise<typeof order>,
      close: () => node.stop(),
    };
  },
};
