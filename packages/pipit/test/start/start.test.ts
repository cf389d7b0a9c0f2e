import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createServer, service, string, struct, unary } from "pipit";
import { runBundled } from "./bundle.ts";

const method = unary(struct({ name: string }), struct({ message: string }));

/** One call by a process of its own, to a server in this one: Node loads more for one that listens. */
const oneCall = (port: number): string => `
  const hello = service("start.Hello", { hello: unary(struct({ name: string }), struct({ message: string })) });
  const client = createClient({ target: "127.0.0.1:${port}" });
  const { message } = await client.service(hello).hello({ name: "start" });
  await client.close();`;

async function serving<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  server.handle(service("start.Hello", { hello: method }), { hello: ({ name }) => ({ message: `Hello, ${name}!` }) });
  const { port } = await server.listen({ port: 0 });
  try {
    return await use(port);
  } finally {
    await server.close();
  }
}

/** Names of Node's public modules that were loaded between two moments. */
const lateModules = `
  const modules = (): Set<string> =>
    new Set((process as never as { moduleLoadList: string[] }).moduleLoadList
      .map((entry) => /^NativeModule ([a-z_/]+)$/.exec(entry)?.[1] ?? "").filter((name) => !name.startsWith("internal/")));`;

describe("what a start loads", () => {
  test("an import loads no sockets, cryptography, name resolution, compression or HTTP", async () => {
    // The one module waits for the other, so that what Node loads for itself is known before Pipit is looked at.
    const program = `${lateModules}
      const before = modules();
      const all = await import("./whole.mjs" as string);
      const after = [...modules()].filter((name) => !before.has(name));
      console.log(JSON.stringify({ exports: Object.keys(all).length, after }));`;
    const { exports, after } = (await runBundled(program, { beside: { whole: 'export * from "pipit";' } })) as {
      exports: number;
      after: string[];
    };
    assert.ok(exports > 60, `${exports} exports`);
    const costly = [
      "net",
      "tls",
      "crypto",
      "dgram",
      "dns",
      "zlib",
      "http",
      "https",
      "http2",
      "stream",
      "worker_threads",
    ];
    assert.deepEqual(
      after.filter((name) => costly.includes(name)),
      [],
    );
  });

  for (const [format, minify] of [
    ["esm", false],
    ["esm", true],
    ["cjs", true],
  ] as const) {
    test(`a plain call loads no TLS, UDP, name resolution, compression, HTTP or performance hooks, bundled as ${format}${minify ? ", minified" : ""}`, async () => {
      const program = (port: number): string => `
        import { createClient, service, string, struct, unary } from "pipit";
        ${lateModules}
        void (async () => {
          ${oneCall(port)}
          console.log(JSON.stringify({ message, loaded: [...modules()] }));
        })();`;
      const { message, loaded } = await serving(
        async (port) => (await runBundled(program(port), { format, minify })) as { message: string; loaded: string[] },
      );
      assert.equal(message, "Hello, start!");
      assert.ok(loaded.includes("net"));
      const costly = ["tls", "dgram", "dns", "dns/promises", "zlib", "http", "https", "http2", "perf_hooks"];
      assert.deepEqual(
        loaded.filter((name) => costly.includes(name)),
        [],
      );
    });
  }

  test("what is loaded late works where Node has no getBuiltinModule", async () => {
    const program = (port: number): string => `
      import { createClient, gossipRegistry, service, string, struct, unary } from "pipit";
      (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
      void (async () => {
        ${oneCall(port)}
        const registry = gossipRegistry();
        const { host } = await registry.open();
        await registry.close();
        console.log(JSON.stringify({ message, host }));
      })();`;
    await serving(async (port) => {
      const expected = { message: "Hello, start!", host: "127.0.0.1" };
      assert.deepEqual(await runBundled(program(port)), expected);
      assert.deepEqual(await runBundled(program(port), { format: "cjs", minify: true }), expected);
    });
  });
});

describe("two copies of Pipit in one process", () => {
  test("a contract, metadata, transport, registry and balancer of one serve the client and server of the other", async () => {
    const other = `export * from "pipit"; export { roundRobin } from "pipit/balancer"; export { memory } from "pipit/testing";`;
    const program = `import { createClient, createServer } from "pipit";
      void (async () => {
        const other = await import("./other.mjs" as string);
        const { array, Metadata, memory, memoryRegistry, roundRobin, RpcError, serverStream, service, string, struct, tcp, u32, unary } = other;
        const Item = struct({ id: u32 });
        const contract = service("start.Mixed", {
          get: unary(struct({ name: string }), struct({ items: array(Item), tenant: string }), { errors: { Gone: Item } }),
          list: serverStream(struct({}), Item),
        });
        const server = createServer();
        server.handle(contract, {
          get({ name }, { metadata }) {
            if (name === "gone") throw new RpcError("not_found", "It is gone", { error: "Gone", data: { id: 7 } });
            return { items: [{ id: 1 }], tenant: metadata.get("tenant") ?? "" };
          },
          async *list() {
            yield { id: 1 };
            yield { id: 2 };
          },
        });
        const { port } = await server.listen({ port: 0, transport: tcp() });
        const link = memory();
        await server.listen({ transport: link });
        const registry = memoryRegistry();
        await registry.register({ id: "a", service: contract.name, host: "127.0.0.1", port });
        const targets = [
          { target: { registry }, balancer: () => roundRobin() },
          { target: "127.0.0.1:" + port, transport: tcp() },
          { target: link.address, transport: link },
        ];
        const seen = [];
        for (const options of targets) {
          const client = createClient(options);
          const stub = client.service(contract);
          const metadata = new Metadata({ tenant: "blue" });
          const got = await stub.get({ name: "it" }, { metadata });
          const ids = [];
          for await (const { id } of stub.list({}, { metadata })) ids.push(id);
          const error = await stub.get({ name: "gone" }).catch((reason) => reason);
          seen.push([got, ids, error.code, error.error, error.data, error instanceof RpcError]);
          await client.close();
        }
        await server.close();
        console.log(JSON.stringify(seen));
      })();`;
    const expected = [{ items: [{ id: 1 }], tenant: "blue" }, [1, 2], "not_found", "Gone", { id: 7 }, true];
    assert.deepEqual(await runBundled(program, { beside: { other } }), [expected, expected, expected]);
  });
});
