import net from "node:net";
import type { Caller, System } from "./system.ts";

/*
 * The raw limit: length-prefixed frames written by hand for exactly this service, one flush per turn, a slot array, one
 * promise per call. No errors, deadlines, cancel, validation or metadata: what a framework cannot beat.
 */

const slabBytes = 1 << 20;

/** Frames written into one slab and sent together at the end of the turn. */
class Out {
  slab = Buffer.allocUnsafeSlow(slabBytes);
  pos = 0;
  scheduled = false;
  readonly socket: net.Socket;

  constructor(socket: net.Socket) {
    this.socket = socket;
  }

  frame(id: number, text: string): void {
    if (this.pos + text.length + 16 > this.slab.length) this.flush();
    const { slab } = this;
    let { pos } = this;
    const start = pos;
    pos += 4;
    slab[pos++] = id & 255;
    slab[pos++] = (id >>> 8) & 255;
    slab[pos++] = (id >>> 16) & 255;
    slab[pos++] = id >>> 24;
    slab[pos++] = text.length;
    for (let i = 0; i < text.length; i++) slab[pos++] = text.charCodeAt(i);
    const length = pos - start - 4;
    slab[start] = length & 255;
    slab[start + 1] = (length >>> 8) & 255;
    slab[start + 2] = (length >>> 16) & 255;
    slab[start + 3] = length >>> 24;
    this.pos = pos;
    if (!this.scheduled) {
      this.scheduled = true;
      process.nextTick(flush, this);
    }
  }

  flush(): void {
    if (this.pos === 0) return;
    this.socket.write(Buffer.copyBytesFrom(this.slab, 0, this.pos));
    this.pos = 0;
  }
}

function flush(out: Out): void {
  out.scheduled = false;
  out.flush();
}

function frames(socket: net.Socket, onFrame: (id: number, text: string) => void): void {
  let rest: Buffer | undefined;
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let pos = 0;
    while (bytes.length - pos >= 4) {
      const length = bytes.readUInt32LE(pos);
      if (bytes.length - pos - 4 < length) break;
      const id = bytes.readUInt32LE(pos + 4);
      const size = bytes[pos + 8] as number;
      onFrame(id, bytes.latin1Slice(pos + 9, pos + 9 + size));
      pos += 4 + length;
    }
    rest = pos === bytes.length ? undefined : bytes.subarray(pos);
  });
}

export const limit: System = {
  name: "raw limit (hand-written frames)",
  serve: () =>
    new Promise((resolve) => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        const out = new Out(socket);
        frames(socket, (id, name) => out.frame(id, `Hello, ${name}!`));
        socket.on("error", () => {});
      });
      server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
    }),
  connect: (port) =>
    new Promise((resolve) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => {
        const out = new Out(socket);
        const slots: (((text: string) => void) | undefined)[] = [];
        const free: number[] = [];
        frames(socket, (id, text) => {
          const settle = slots[id];
          slots[id] = undefined;
          free.push(id);
          settle?.(text);
        });
        const caller: Caller = {
          tiny: (name) =>
            new Promise((settle) => {
              const id = free.pop() ?? slots.length;
              slots[id] = settle;
              out.frame(id, name);
            }),
          close: () => void socket.destroy(),
        };
        resolve(caller);
      });
    }),
};
