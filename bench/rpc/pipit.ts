import { readFileSync } from "node:fs";
import {
  array,
  bool,
  bytes,
  createClient,
  createServer,
  f64,
  type Infer,
  serverStream,
  service,
  string,
  struct,
  tcp,
  type Transport,
  u32,
  uint,
  unary,
} from "pipit";
import { chunkBytes, type System } from "./system.ts";

/* Everything at its defaults: deadlines, retries, limits, flow control, balancing. */

const Address = struct({ street: string, city: string, zip: string, country: string });
const Item = struct({ sku: string, name: string, quantity: u32, price: f64 });
const Order = struct({
  id: uint,
  customer: string,
  email: string,
  status: string,
  currency: string,
  total: f64,
  tax: f64,
  discount: f64,
  paid: bool,
  priority: u32,
  createdAt: uint,
  updatedAt: uint,
  note: string,
  coupon: string,
  channel: string,
  warehouse: string,
  weight: f64,
  address: Address,
  tags: array(string),
  items: array(Item),
});

const Count = struct({ count: u32 });

const Bench = service("bench.Bench", {
  tiny: unary(struct({ name: string }), struct({ message: string }), { idempotency: "safe" }),
  order: unary(Order, Order, { idempotency: "safe" }),
  blob: unary(bytes, bytes, { idempotency: "safe" }),
  ticks: serverStream(Count, struct({ n: u32, value: f64 })),
  bulk: serverStream(Count, bytes),
});

export const pipit: System = pipitOver("Pipit", () => undefined);

/** The same over TLS 1.3, with the certificates of our tests. */
export const pipitTls: System = pipitOver("Pipit over TLS", () => {
  const pem = (name: string): string =>
    readFileSync(new URL(`../../packages/transport-tcp/test/certificates/${name}`, import.meta.url), "utf8");
  return tcp({
    tls: { ca: pem("authority.pem"), cert: pem("server.pem"), key: pem("server.key"), minVersion: "TLSv1.3" },
  });
});

function pipitOver(name: string, transport: () => Transport | undefined): System {
  return {
    name,
    async serve() {
      const chunk = new Uint8Array(chunkBytes).fill(1);
      const server = createServer();
      server.handle(Bench, {
        tiny: ({ name }) => ({ message: `Hello, ${name}!` }),
        order: (order: Infer<typeof Order>) => order,
        blob: (data) => data,
        async *ticks({ count }) {
          for (let n = 0; n < count; n++) yield { n, value: n / 2 };
        },
        async *bulk({ count }) {
          for (let n = 0; n < count; n++) yield chunk;
        },
      });
      const { port } = await server.listen({ port: 0, transport: transport() });
      return port;
    },
    async connect(port) {
      const client = createClient({ target: `127.0.0.1:${port}`, transport: transport() });
      const bench = client.service(Bench);
      return {
        tiny: (name) => bench.tiny({ name }),
        order: (order) => bench.order(order),
        blob: (data) => bench.blob(data),
        async ticks(count) {
          let seen = 0;
          for await (const _ of bench.ticks({ count })) seen++;
          return seen;
        },
        async bulk(count) {
          let size = 0;
          for await (const data of bench.bulk({ count })) size += data.length;
          return size;
        },
        close: () => client.close(),
      };
    },
  };
}
