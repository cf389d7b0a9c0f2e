import net, { type AddressInfo } from "node:net";
import { type Payload, type RSocket, RSocketConnector, RSocketServer } from "rsocket-core";
import { TcpClientTransport } from "rsocket-tcp-client";
import { TcpServerTransport } from "rsocket-tcp-server";
import { versionOf } from "../support/version.ts";
import type { System } from "./system.ts";

/* RSocket carries bytes and names no methods: the tiny call sends bare text, which is less than the others do. */

const greeting = 0;
const blob = 1;

export const rsocket: System = {
  name: `RSocket ${versionOf("rsocket-core")} over TCP`,
  serve: async () => {
    const server = net.createServer({ noDelay: true });
    const transport = new TcpServerTransport({
      listenOptions: { host: "127.0.0.1", port: 0 },
      socketCreator: () => server,
    });
    const responder: Partial<RSocket> = {
      requestResponse({ data, metadata }, stream) {
        const reply = metadata?.[0] === greeting ? Buffer.from(`Hello, ${data?.toString("utf8") ?? ""}!`) : data;
        stream.onNext({ data: reply }, true);
        return { cancel: () => {}, onExtension: () => {} };
      },
    };
    await new RSocketServer({ transport, acceptor: { accept: async () => responder } }).bind();
    return (server.address() as AddressInfo).port;
  },
  connect: async (port) => {
    const transport = new TcpClientTransport({ connectionOptions: { host: "127.0.0.1", port, noDelay: true } });
    const socket = await new RSocketConnector({ transport }).connect();
    const request = (method: number, data: Buffer): Promise<Buffer> => {
      const payload: Payload = { data, metadata: Buffer.of(method) };
      return new Promise((resolve, reject) => {
        const onNext = (reply: Payload): void => resolve(reply.data ?? Buffer.alloc(0));
        socket.requestResponse(payload, { onNext, onError: reject, onComplete: () => {}, onExtension: () => {} });
      });
    };
    return {
      tiny: async (name) => ({ message: (await request(greeting, Buffer.from(name))).toString("utf8") }),
      blob: (bytes) => request(blob, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      close: () => socket.close(),
    };
  },
};
