import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { versionOf } from "../support/version.ts";
import { chunkBytes, type System } from "./system.ts";

const proto = `
syntax = "proto3";
package bench;
message TinyRequest { string name = 1; }
message TinyReply { string message = 1; }
message Blob { bytes data = 1; }
message Count { uint32 count = 1; }
message Tick { uint32 n = 1; double value = 2; }
service Bench {
  rpc Tiny(TinyRequest) returns (TinyReply);
  rpc Echo(Blob) returns (Blob);
  rpc Ticks(Count) returns (stream Tick);
  rpc Bulk(Count) returns (stream Blob);
}`;

// What proto-loader gives has no types.
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any;

function load(): Untyped {
  const path = join(mkdtempSync(join(tmpdir(), "bench-")), "bench.proto");
  writeFileSync(path, proto);
  return (grpc.loadPackageDefinition(loadSync(path, { longs: Number, defaults: true })) as Untyped).bench.Bench;
}

export const grpcJs: System = {
  name: `grpc-js ${versionOf("@grpc/grpc-js")}`,
  serve: () =>
    new Promise((resolve, reject) => {
      const server = new grpc.Server();
      server.addService(load().service, {
        Tiny: (call: Untyped, done: Untyped) => done(null, { message: `Hello, ${call.request.name}!` }),
        Echo: (call: Untyped, done: Untyped) => done(null, { data: call.request.data }),
        Ticks: (call: Untyped) => pour(call, call.request.count, (n) => ({ n, value: n / 2 })),
        Bulk: (call: Untyped) => {
          const data = Buffer.alloc(chunkBytes, 1);
          pour(call, call.request.count, () => ({ data }));
        },
      });
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    }),
  async connect(port) {
    const client = new (load())(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const call = (method: string, request: unknown): Promise<Untyped> =>
      new Promise((resolve, reject) =>
        client[method](request, (error: Error | null, reply: unknown) =>
          error === null ? resolve(reply) : reject(error),
        ),
      );
    return {
      tiny: (name) => call("Tiny", { name }),
      blob: async (data) => (await call("Echo", { data })).data,
      async ticks(count) {
        let seen = 0;
        for await (const _ of client.Ticks({ count })) seen++;
        return seen;
      },
      async bulk(count) {
        let bytes = 0;
        for await (const { data } of client.Bulk({ count })) bytes += data.length;
        return bytes;
      },
      close: () => client.close(),
    };
  },
};

function pour(call: Untyped, count: number, item: (n: number) => unknown): void {
  let n = 0;
  const more = (): void => {
    while (n < count) if (!call.write(item(n++))) return void call.once("drain", more);
    call.end();
  };
  more();
}
