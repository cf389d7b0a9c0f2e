import { decodeCbor } from "./cbor-decode.ts";
import { encodeCbor } from "./cbor-encode.ts";
import { makeCodec } from "./codec.ts";
import { fail } from "./fault.ts";
import type { Node } from "./node.ts";
import { Reader } from "./reader.ts";
import type { In, Out } from "./state.ts";
import { writeLeb } from "./state.ts";
import type { Codec } from "./types.ts";
import type { Writer } from "./writer.ts";

/** CBOR at `writer.pos`, after its length. */
function encodeAny(writer: Writer, value: unknown): void {
  const start = writer.pos;
  writer.reserve(9);
  writer.pos = start + 1;
  encodeCbor(writer, value);
  const size = writer.pos - start - 1;
  if (size < 128) {
    writer.bytes[start] = size;
    return;
  }
  let more = 0;
  for (let rest = Math.floor(size / 128); rest > 0; rest = Math.floor(rest / 128)) more++;
  writer.reserve(more);
  writer.bytes.copyWithin(start + 1 + more, start + 1, writer.pos);
  writeLeb(writer.bytes, start, size);
  writer.pos += more;
}

const WITH_VIEWS = { views: true };
/** Where values inside messages are read. Nobody else's code runs meanwhile, so one is enough. */
const reader: Reader = /* @__PURE__ */ new Reader();

function decodeAny(bytes: Uint8Array, start: number, end: number, views: boolean): unknown {
  reader.reset(bytes, start, end);
  const value = decodeCbor(reader, views ? WITH_VIEWS : undefined);
  if (reader.pos !== end) fail("trailing", `${end - reader.pos} bytes left over after the CBOR value`);
  return value;
}

const node: Node = {
  kind: "any",
  of: [],
  bits: 0,
  most: 0,
  least: () => 1,
  head: () => 0,
  encode: (out: Out, value: unknown) => encodeAny(out.writer, value),
  decode(from: In) {
    const size = from.leb();
    const start = from.skip(size);
    return decodeAny(from.bytes, start, start + size, from.views);
  },
  root: {
    encode: encodeCbor,
    decode: (from: In) => decodeAny(from.bytes, from.pos, from.end, from.views),
  },
  genEncode(g, v) {
    g.line(`w.pos=p;${g.external(encodeAny)}(w,${v});p=w.pos;`);
    g.reload();
  },
  genDecode(g) {
    const n = g.readLeb();
    g.line(`if(!(${n}<=E-p))bad();`);
    const x = g.bind(`${g.external(decodeAny)}(B,p,p+${n},views)`);
    g.line(`p+=${n};`);
    return x;
  },
};

/** Any value that CBOR (RFC 8949) can carry, with its types in the bytes. Alone it is plain CBOR, which other languages read. */
export const any: Codec<unknown> = /* @__PURE__ */ makeCodec<Codec<unknown>>({
  kind: "any",
  build: () => node,
  describe: () => "any",
});
