import net from "node:net";
import { type Caller, chunkBytes, type Order, type System } from "./system.ts";

/*
 * The raw limit: length-prefixed frames and codecs written by hand for exactly this service, one flush per turn, a slot
 * array, one promise per call, plain handlers. No errors, deadlines, cancel, validation or metadata: what a framework
 * cannot beat. Streams have byte credit and async iterators, as a user would see them.
 *
 * Frame: u32 length, u32 id, u8 kind, body.
 */

const slabBytes = 1 << 20;
const headBytes = 9;
const windowBytes = 1 << 20;

const Kind = { tiny: 0, order: 1, blob: 2, ticks: 3, bulk: 4, item: 5, end: 6, credit: 7 } as const;

class Out {
  slab = Buffer.allocUnsafeSlow(slabBytes);
  view = new DataView(this.slab.buffer);
  pos = 0;
  start = 0;
  scheduled = false;
  readonly socket: net.Socket;

  constructor(socket: net.Socket) {
    this.socket = socket;
  }

  begin(id: number, kind: number, room: number): void {
    if (this.pos + room + headBytes > this.slab.length) this.flush();
    this.start = this.pos;
    this.view.setUint32(this.pos + 4, id, true);
    this.slab[this.pos + 8] = kind;
    this.pos += headBytes;
  }

  end(): void {
    this.view.setUint32(this.start, this.pos - this.start - 4, true);
    if (!this.scheduled) {
      this.scheduled = true;
      process.nextTick(flush, this);
    }
  }

  short(text: string): void {
    const { slab } = this;
    let pos = this.pos;
    slab[pos++] = text.length;
    for (let i = 0; i < text.length; i++) slab[pos++] = text.charCodeAt(i);
    this.pos = pos;
  }

  text(text: string): void {
    const size = this.slab.latin1Write(text, this.pos + 1);
    this.slab[this.pos] = size;
    this.pos += 1 + size;
  }

  double(value: number): void {
    this.view.setFloat64(this.pos, value, true);
    this.pos += 8;
  }

  u32(value: number): void {
    this.view.setUint32(this.pos, value, true);
    this.pos += 4;
  }

  large(id: number, kind: number, body: Uint8Array): boolean {
    this.flush();
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUInt32LE(headBytes - 4 + body.length, 0);
    head.writeUInt32LE(id, 4);
    head[8] = kind;
    this.socket.cork();
    this.socket.write(head);
    const room = this.socket.write(body);
    this.socket.uncork();
    return room;
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

class In {
  bytes: Buffer = Buffer.alloc(0);
  view = new DataView(this.bytes.buffer);
  pos = 0;
  end = 0;

  text(): string {
    const size = this.bytes[this.pos] as number;
    const start = this.pos + 1;
    this.pos = start + size;
    return this.bytes.latin1Slice(start, this.pos);
  }

  double(): number {
    this.pos += 8;
    return this.view.getFloat64(this.pos - 8, true);
  }

  u32(): number {
    this.pos += 4;
    return this.view.getUint32(this.pos - 4, true);
  }
}

function frames(socket: net.Socket, onFrame: (id: number, kind: number, from: In) => void): void {
  const from = new In();
  let whole: Buffer | undefined;
  let filled = 0;
  socket.on("data", (chunk: Buffer) => {
    let pos = 0;
    if (whole !== undefined) {
      if (filled < 4) {
        chunk = Buffer.concat([whole.subarray(0, filled), chunk]);
        whole = undefined;
      } else {
        const count = Math.min(whole.length - filled, chunk.length);
        chunk.copy(whole, filled, 0, count);
        filled += count;
        if (filled < whole.length) return;
        read(whole, 0, whole.length);
        whole = undefined;
        pos = count;
      }
    }
    while (chunk.length - pos >= 4) {
      const next = pos + 4 + chunk.readUInt32LE(pos);
      if (next > chunk.length) break;
      read(chunk, pos, next);
      pos = next;
    }
    filled = chunk.length - pos;
    if (filled === 0) return;
    whole = filled < 4 ? chunk.subarray(pos) : Buffer.allocUnsafeSlow(4 + chunk.readUInt32LE(pos));
    if (filled >= 4) chunk.copy(whole, 0, pos);
  });
  socket.on("error", () => {});

  function read(bytes: Buffer, pos: number, end: number): void {
    if (from.bytes !== bytes) {
      from.bytes = bytes;
      from.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    from.pos = pos + headBytes;
    from.end = end;
    onFrame(from.view.getUint32(pos + 4, true), bytes[pos + 8] as number, from);
  }
}

function writeOrder(out: Out, id: number, order: Order): void {
  out.begin(id, Kind.order, 4096);
  out.double(order.id);
  out.text(order.customer);
  out.text(order.email);
  out.text(order.status);
  out.text(order.currency);
  out.double(order.total);
  out.double(order.tax);
  out.double(order.discount);
  out.slab[out.pos++] = order.paid ? 1 : 0;
  out.u32(order.priority);
  out.double(order.createdAt);
  out.double(order.updatedAt);
  out.text(order.note);
  out.text(order.coupon);
  out.text(order.channel);
  out.text(order.warehouse);
  out.double(order.weight);
  out.text(order.address.street);
  out.text(order.address.city);
  out.text(order.address.zip);
  out.text(order.address.country);
  out.u32(order.tags.length);
  for (const tag of order.tags) out.text(tag);
  out.u32(order.items.length);
  for (const { sku, name, quantity, price } of order.items) {
    out.text(sku);
    out.text(name);
    out.u32(quantity);
    out.double(price);
  }
  out.end();
}

function readOrder(from: In): Order {
  return {
    id: from.double(),
    customer: from.text(),
    email: from.text(),
    status: from.text(),
    currency: from.text(),
    total: from.double(),
    tax: from.double(),
    discount: from.double(),
    paid: from.bytes[from.pos++] === 1,
    priority: from.u32(),
    createdAt: from.double(),
    updatedAt: from.double(),
    note: from.text(),
    coupon: from.text(),
    channel: from.text(),
    warehouse: from.text(),
    weight: from.double(),
    address: { street: from.text(), city: from.text(), zip: from.text(), country: from.text() },
    tags: list(from, () => from.text()),
    items: list(from, () => ({ sku: from.text(), name: from.text(), quantity: from.u32(), price: from.double() })),
  };
}

function list<T>(from: In, one: () => T): T[] {
  const count = from.u32();
  const values: T[] = [];
  for (let i = 0; i < count; i++) values.push(one());
  return values;
}

/** The server's end of one stream: pulls an async generator while there is credit and room in the socket. */
class Pour {
  credit = windowBytes;
  wake: (() => void) | undefined;
  readonly out: Out;

  constructor(out: Out) {
    this.out = out;
  }

  async run<T>(id: number, source: AsyncGenerator<T>, send: (item: T) => number): Promise<void> {
    const onDrain = (): void => this.wake?.();
    this.out.socket.on("drain", onDrain);
    for await (const item of source) {
      this.credit -= send(item);
      if (this.credit <= 0 || this.out.socket.writableLength > 131_072) {
        await new Promise<void>((resolve) => {
          this.wake = () => {
            if (this.credit > 0 && this.out.socket.writableLength <= 131_072) resolve();
          };
        });
      }
    }
    this.out.socket.off("drain", onDrain);
    this.out.begin(id, Kind.end, 0);
    this.out.end();
  }
}

function serve(socket: net.Socket): void {
  const out = new Out(socket);
  const pours = new Map<number, Pour>();
  const chunk = new Uint8Array(chunkBytes).fill(1);
  frames(socket, (id, kind, from) => {
    switch (kind) {
      case Kind.tiny: {
        const message = `Hello, ${from.text()}!`;
        out.begin(id, Kind.tiny, 300);
        out.short(message);
        return out.end();
      }
      case Kind.order:
        return writeOrder(out, id, readOrder(from));
      case Kind.blob:
        return void out.large(id, Kind.blob, from.bytes.subarray(from.pos, from.end));
      case Kind.credit: {
        const pour = pours.get(id);
        if (pour !== undefined) {
          pour.credit += from.u32();
          pour.wake?.();
        }
        return;
      }
      default: {
        const pour = new Pour(out);
        pours.set(id, pour);
        const count = from.u32();
        void (kind === Kind.ticks
          ? pour.run(id, ticks(count), ({ n, value }) => {
              out.begin(id, Kind.item, 12);
              out.u32(n);
              out.double(value);
              out.end();
              return 21;
            })
          : pour.run(id, repeat(count, chunk), (bytes) => {
              out.large(id, Kind.item, bytes);
              return bytes.length + headBytes;
            }));
      }
    }
  });
}

async function* ticks(count: number): AsyncGenerator<{ n: number; value: number }> {
  for (let n = 0; n < count; n++) yield { n, value: n / 2 };
}

async function* repeat<T>(count: number, item: T): AsyncGenerator<T> {
  for (let n = 0; n < count; n++) yield item;
}

/** The client's end of one stream. */
class Pull<T> implements AsyncIterableIterator<T> {
  readonly queue: T[] = [];
  head = 0;
  sizes = 0;
  ended = false;
  waiting: ((result: IteratorResult<T>) => void) | undefined;
  readonly release: (bytes: number) => void;

  constructor(release: (bytes: number) => void) {
    this.release = release;
  }

  push(item: T, size: number): void {
    this.sizes += size;
    const { waiting } = this;
    if (waiting === undefined) this.queue.push(item);
    else {
      this.waiting = undefined;
      waiting({ value: item, done: false });
    }
    if (this.sizes > windowBytes / 2 && this.queue.length === this.head) this.give();
  }

  give(): void {
    this.release(this.sizes);
    this.sizes = 0;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.head < this.queue.length) {
      const value = this.queue[this.head++] as T;
      if (this.head === this.queue.length) {
        this.queue.length = 0;
        this.head = 0;
        if (this.sizes > windowBytes / 2) this.give();
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  finish(): void {
    this.ended = true;
    this.waiting?.({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export const limit: System = {
  name: "raw limit, by hand",
  serve: () =>
    new Promise((resolve) => {
      const server = net.createServer({ noDelay: true }, serve);
      server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
    }),
  connect: (port) =>
    new Promise((resolve) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(callerOn(socket)));
    }),
};

function callerOn(socket: net.Socket): Caller {
  const out = new Out(socket);
  const slots: (((value: never) => void) | undefined)[] = [];
  const free: number[] = [];
  const pulls = new Map<number, Pull<unknown>>();
  let nextStream = 1 << 20;

  frames(socket, (id, kind, from) => {
    if (kind === Kind.item) {
      const size = from.end - from.pos;
      const pull = pulls.get(id);
      if (size === 12) pull?.push({ n: from.u32(), value: from.double() }, 21);
      else pull?.push(from.bytes.subarray(from.pos, from.end), size + headBytes);
      return;
    }
    if (kind === Kind.end) {
      pulls.get(id)?.finish();
      pulls.delete(id);
      return;
    }
    const settle = slots[id] as (value: unknown) => void;
    slots[id] = undefined;
    free.push(id);
    if (kind === Kind.tiny) settle({ message: from.text() });
    else if (kind === Kind.order) settle(readOrder(from));
    else settle(from.bytes.subarray(from.pos, from.end));
  });

  function slot(settle: (value: never) => void): number {
    const id = free.pop() ?? slots.length;
    slots[id] = settle;
    return id;
  }

  function stream(kind: number, count: number): Pull<unknown> {
    const id = nextStream++;
    const pull = new Pull<unknown>((bytes) => {
      out.begin(id, Kind.credit, 4);
      out.u32(bytes);
      out.end();
    });
    pulls.set(id, pull);
    out.begin(id, kind, 4);
    out.u32(count);
    out.end();
    return pull;
  }

  return {
    tiny: (name) =>
      new Promise((settle: (reply: { message: string }) => void) => {
        out.begin(slot(settle), Kind.tiny, 300);
        out.short(name);
        out.end();
      }),
    order: (order) => new Promise((settle: (order: Order) => void) => writeOrder(out, slot(settle), order)),
    blob: (bytes) =>
      new Promise((settle: (bytes: Uint8Array) => void) => void out.large(slot(settle), Kind.blob, bytes)),
    async ticks(count) {
      let seen = 0;
      for await (const _ of stream(Kind.ticks, count)) seen++;
      return seen;
    },
    async bulk(count) {
      let bytes = 0;
      for await (const chunk of stream(Kind.bulk, count)) bytes += (chunk as Uint8Array).length;
      return bytes;
    },
    close: () => void socket.destroy(),
  };
}
