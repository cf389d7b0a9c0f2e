import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { array, CodecError, enumeration, f64, type Infer, optional, string, struct, u32 } from "../src/index.ts";

const Order = struct({
  id: u32,
  customer: string,
  status: enumeration(["open", "paid", "sent"]),
  note: optional(string),
  lines: array(struct({ sku: string, price: f64 })),
});
type Order = Infer<typeof Order>;

test("the first example of the README does what it says", () => {
  const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  assert.ok(page.split("\n").slice(0, 25).join("\n").includes("Order.decode(bytes)"));
  const bytes = Order.encode({ id: 7, customer: "Zoë", status: "paid", lines: [{ sku: "A-1", price: 9.5 }] });
  assert.ok(page.includes(`// ${bytes.length} bytes`), String(bytes.length));
  const order: Order = Order.decode(bytes);
  assert.deepEqual(order, { id: 7, customer: "Zoë", status: "paid", lines: [{ sku: "A-1", price: 9.5 }] });
  assert.throws(
    () => Order.encode({ ...order, lines: [{ sku: "A-1", price: "x" as never }] }),
    (error: CodecError) => error instanceof CodecError && page.includes(error.message),
  );
});
