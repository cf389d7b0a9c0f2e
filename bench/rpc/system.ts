/** What one system under measurement offers, in its own process at either end. All do the same work. */
export interface System {
  /** As printed, with its version. */
  readonly name: string;
  /** Starts the server on loopback and returns its port. */
  serve(): Promise<number>;
  connect(port: number): Promise<Caller>;
}

/** The client's end. What a system cannot do is left out. */
export interface Caller {
  /** {name} to {message}: a few bytes each way. */
  tiny(name: string): Promise<{ message: string }>;
  /** 20 fields, about 1 kB, both ways. */
  order?(order: Order): Promise<Order>;
  /** Bytes there and back. */
  blob?(bytes: Uint8Array): Promise<Uint8Array>;
  /** Reads `count` small messages of one server stream. */
  ticks?(count: number): Promise<number>;
  /** Reads `count` chunks of 64 KiB of one server stream, returns the bytes. */
  bulk?(count: number): Promise<number>;
  close(): Promise<void> | void;
}

export interface Order {
  id: number;
  customer: string;
  email: string;
  status: string;
  currency: string;
  total: number;
  tax: number;
  discount: number;
  paid: boolean;
  priority: number;
  createdAt: number;
  updatedAt: number;
  note: string;
  coupon: string;
  channel: string;
  warehouse: string;
  weight: number;
  address: { street: string; city: string; zip: string; country: string };
  tags: string[];
  items: { sku: string; name: string; quantity: number; price: number }[];
}

/** The order that is sent. */
export const sampleOrder: Order = {
  id: 184_467,
  customer: "Ada Lovelace",
  email: "ada.lovelace@example.org",
  status: "confirmed",
  currency: "EUR",
  total: 1249.95,
  tax: 199.99,
  discount: 12.5,
  paid: true,
  priority: 3,
  createdAt: 1_760_000_000_000,
  updatedAt: 1_760_000_360_000,
  note: "Please ring twice; the door at the back is open until six in the evening.",
  coupon: "AUTUMN-2026",
  channel: "web",
  warehouse: "ROTTERDAM-4",
  weight: 12.75,
  address: { street: "12 Analytical Row", city: "London", zip: "N1 7AA", country: "GB" },
  tags: ["gift", "fragile", "express"],
  items: Array.from({ length: 8 }, (_, i) => ({
    sku: `SKU-${1000 + i}`,
    name: `Brass gear, size ${i + 1}`,
    quantity: i + 1,
    price: 19.99 + i,
  })),
};

export const tickCount = 200_000;
export const chunkBytes = 65_536;
