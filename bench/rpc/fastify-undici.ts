import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { Pool } from "undici";
import { versionOf } from "../support/version.ts";
import { type Order, sampleOrder, type System } from "./system.ts";

/* JSON over HTTP/1.1, as made by hand between services: the server's replies are serialized by schema, its fastest way. */

/** More make it slower here, fewer too. */
const connections = 16;

const text = { type: "string" };

/** The JSON Schema of a value, from the value. */
function schemaOf(value: unknown): object {
  if (Array.isArray(value)) return { type: "array", items: schemaOf(value[0]) };
  if (typeof value === "object" && value !== null) {
    return { type: "object", properties: Object.fromEntries(Object.entries(value).map(([k, v]) => [k, schemaOf(v)])) };
  }
  return { type: typeof value };
}

export const fastifyUndici: System = {
  name: `fastify ${versionOf("fastify")} + undici ${versionOf("undici")}, JSON`,
  async serve() {
    const app = fastify();
    const reply = { type: "object", properties: { message: text } };
    const body = { type: "object", properties: { name: text }, required: ["name"] };
    app.post<{ Body: { name: string } }>("/tiny", { schema: { body, response: { 200: reply } } }, (request) =>
      Promise.resolve({ message: `Hello, ${request.body.name}!` }),
    );
    app.post<{ Body: Order }>("/order", { schema: { response: { 200: schemaOf(sampleOrder) } } }, (request) =>
      Promise.resolve(request.body),
    );
    await app.listen({ port: 0, host: "127.0.0.1" });
    return (app.server.address() as AddressInfo).port;
  },
  connect: async (port) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections });
    const headers = { "content-type": "application/json" };
    const post = async (path: string, value: unknown): Promise<unknown> => {
      const { body } = await pool.request({ path, method: "POST", headers, body: JSON.stringify(value) });
      return body.json();
    };
    return {
      tiny: (name) => post("/tiny", { name }) as Promise<{ message: string }>,
      order: (order) => post("/order", order) as Promise<Order>,
      close: () => pool.close(),
    };
  },
};
