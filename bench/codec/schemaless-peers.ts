import { deserialize, serialize } from "node:v8";
import { Decoder, Encoder } from "@msgpack/msgpack";
import { Encoder as CborEncoder } from "cbor-x";
import { Packr } from "msgpackr";
import notepack from "notepack.io";
import type { Peer, Prepared } from "./peer.ts";
import { type Shape, convert } from "./shape.ts";

interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** Codecs that need no schema. Shared records keep their key lists outside of the messages. */
export const schemalessPeers: readonly Peer[] = [
  {
    name: "JSON",
    prepare: (shape, value) =>
      has(shape, "u64") || has(shape, "bytes")
        ? undefined
        : {
            input: value,
            encode: (input: unknown) => Buffer.from(JSON.stringify(input), "utf8"),
            decode: (bytes) => JSON.parse((bytes as Buffer).toString("utf8")) as unknown,
          },
  },
  peer("v8", () => ({ encode: (value) => serialize(value), decode: (bytes) => deserialize(bytes) as unknown })),
  peer("msgpackr", () => packr({ useRecords: false })),
  peer("msgpackr in-band records", () => packr({ useRecords: true })),
  peer("msgpackr records", () => packr({ structures: [] })),
  peer("msgpackr records, bundled", () => packr({ structures: [], bundleStrings: true })),
  peer("cbor-x", () => new CborEncoder({ useRecords: false, mapsAsObjects: true })),
  peer("cbor-x records", () => new CborEncoder({ structures: [] })),
  peer("@msgpack/msgpack", (shape) => {
    const options = { useBigInt64: has(shape, "u64") };
    const [encoder, decoder] = [new Encoder(options), new Decoder(options)];
    return { encode: (value) => encoder.encode(value), decode: (bytes) => decoder.decode(bytes) };
  }),
  {
    name: "notepack.io",
    prepare: (shape, value) => (has(shape, "u64") ? undefined : prepared(shape, value, notepack as unknown as Codec)),
  },
];

function packr(options: ConstructorParameters<typeof Packr>[0]): Codec {
  return new Packr({ int64AsType: "bigint", ...options });
}

function peer(name: string, make: (shape: Shape) => Codec): Peer {
  return { name, prepare: (shape, value) => prepared(shape, value, make(shape)) };
}

function prepared(shape: Shape, value: unknown, codec: Codec): Prepared {
  // Arrow functions, so that each has its own feedback.
  return {
    input: value,
    encode: (input: unknown) => codec.encode(input),
    decode: (bytes) => codec.decode(bytes),
    restore: (decoded) => convert(shape, decoded, { u64: (item: number | bigint) => BigInt(item), int: Number }),
  };
}

function has(shape: Shape, kind: Shape["kind"]): boolean {
  return shape.kind === kind || ("of" in shape && has(shape.of, kind));
}
