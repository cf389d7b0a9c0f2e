import net from "node:net";
import { Packr } from "msgpackr";
import { versionOf } from "../support/version.ts";
import { type Order, sampleOrder, type System } from "./system.ts";

/* What a careful engineer writes in an afternoon: msgpackr messages, length-prefixed, one write per turn. */

type Message = [id: number, method: number, body: unknown];

/** Its records mode, its fastest: both ends know the shapes beforehand. */
function knownShapes(): string[][] {
  const shapes = [{ name: "" }, { message: "" }, sampleOrder, sampleOrder.address, sampleOrder.items[0] ?? {}];
  return shapes.map((shape) => Object.keys(shape));
}

function connection(socket: net.Socket, onMessage: (message: Message) => void): (message: Message) => void {
  const packr = new Packr({ structures: knownShapes() });
  const unpackr = new Packr({ structures: knownShapes() });
  let pending: Buffer[] = [];
  let rest: Buffer | undefined;
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let pos = 0;
    while (bytes.length - pos >= 4) {
      const length = bytes.readUInt32LE(pos);
      if (bytes.length - pos - 4 < length) break;
      onMessage(unpackr.unpack(bytes.subarray(pos + 4, pos + 4 + length)) as Message);
      pos += 4 + length;
    }
    rest = pos === bytes.length ? undefined : bytes.subarray(pos);
  });
  socket.on("error", () => {});
  return (message) => {
    const body = packr.pack(message);
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE(body.length, 0);
    if (pending.length === 0) {
      process.nextTick(() => {
        socket.write(Buffer.concat(pending));
        pending = [];
      });
    }
    pending.push(head, body);
  };
}

export const msgpackrTcp: System = {
  name: `msgpackr ${versionOf("msgpackr")} over TCP, by hand`,
  serve: () =>
    new Promise((resolve) => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        const send = connection(socket, ([id, method, body]) => {
          if (method === 0) send([id, 0, { message: `Hello, ${(body as { name: string }).name}!` }]);
          else send([id, method, body]);
        });
      });
      server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
    }),
  connect: (port) =>
    new Promise((resolve) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => {
        const waiting = new Map<number, (body: unknown) => void>();
        let next = 0;
        const send = connection(socket, ([id, , body]) => {
          const settle = waiting.get(id);
          waiting.delete(id);
          settle?.(body);
        });
        const call = (method: number, body: unknown): Promise<unknown> =>
          new Promise((settle) => {
            const id = next++;
            waiting.set(id, settle);
            send([id, method, body]);
          });
        resolve({
          tiny: (name) => call(0, { name }) as Promise<{ message: string }>,
          order: (order) => call(1, order) as Promise<Order>,
          blob: (bytes) => call(2, bytes) as Promise<Uint8Array>,
          close: () => void socket.destroy(),
        });
      });
    }),
};
