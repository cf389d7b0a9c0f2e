import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport } from "@connectrpc/connect-node";
import { versionOf } from "../support/version.ts";
import { chunkBytes, type System } from "./system.ts";

/* Connect over HTTP/2 in its own protocol and binary format. What its generator would write is described by hand here. */

// The types come from generated code, which is not there.
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any;

function bench(): DescService {
  const field = (name: string, number: number, type: Type): object => ({ name, number, type, label: Label.OPTIONAL });
  const method = (name: string, input: string, output: string, serverStreaming = false): object => ({
    name,
    inputType: `.bench.${input}`,
    outputType: `.bench.${output}`,
    serverStreaming,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "bench.proto",
    package: "bench",
    syntax: "proto3",
    messageType: [
      { name: "TinyRequest", field: [field("name", 1, Type.STRING)] },
      { name: "TinyReply", field: [field("message", 1, Type.STRING)] },
      { name: "Blob", field: [field("data", 1, Type.BYTES)] },
      { name: "Count", field: [field("count", 1, Type.UINT32)] },
      { name: "Tick", field: [field("n", 1, Type.UINT32), field("value", 2, Type.DOUBLE)] },
    ],
    service: [
      {
        name: "Bench",
        method: [
          method("Tiny", "TinyRequest", "TinyReply"),
          method("Echo", "Blob", "Blob"),
          method("Ticks", "Count", "Tick", true),
          method("Bulk", "Count", "Blob", true),
        ],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("bench.Bench");
  if (service === undefined) throw new Error("The description holds no service bench.Bench");
  return service;
}

export const connect: System = {
  name: `Connect ${versionOf("@connectrpc/connect-node")}, HTTP/2`,
  serve: () =>
    new Promise((resolve) => {
      const implementation: Untyped = {
        tiny: ({ name }: { name: string }) => ({ message: `Hello, ${name}!` }),
        echo: ({ data }: { data: Uint8Array }) => ({ data }),
        async *ticks({ count }: { count: number }) {
          for (let n = 0; n < count; n++) yield { n, value: n / 2 };
        },
        async *bulk({ count }: { count: number }) {
          const data = new Uint8Array(chunkBytes).fill(1);
          for (let n = 0; n < count; n++) yield { data };
        },
      };
      const server = createServer(connectNodeAdapter({ routes: (router) => router.service(bench(), implementation) }));
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    }),
  connect: async (port) => {
    const transport = createConnectTransport({ httpVersion: "2", baseUrl: `http://127.0.0.1:${port}` });
    const client: Untyped = createClient(bench(), transport);
    return {
      tiny: (name) => client.tiny({ name }),
      blob: async (data) => (await client.echo({ data })).data,
      async ticks(count) {
        let seen = 0;
        for await (const _ of client.ticks({ count })) seen++;
        return seen;
      },
      async bulk(count) {
        let bytes = 0;
        for await (const { data } of client.bulk({ count })) bytes += data.length;
        return bytes;
      },
      close: () => {},
    };
  },
};
