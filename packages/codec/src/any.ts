import { type CborInput, objectsIn, readCbor } from "./cbor-decode.ts";
import { encodeCbor } from "./cbor-encode.ts";
import { makeCodec } from "./codec.ts";
import { fail } from "./fault.ts";
import type { Node } from "./node.ts";
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

/** A message that is read: all its values of type `any` share its objects. */
interface AnyInput extends Omit<CborInput, "objects"> {
  readonly size: number;
  objects: number | undefined;
}

/** Reads the CBOR that fills `from.pos..end`. */
function decodeAny(from: AnyInput, end: number, views: boolean): unknown {
  from.objects ??= objectsIn(from.size);
  const value = readCbor(from as CborInput, end, views);
  if (from.pos !== end) fail("trailing", `${end - from.pos} bytes left over after the CBOR value`);
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
    const end = from.skip(size) + size;
    from.pos = end - size;
    return decodeAny(from, end, from.views);
  },
  root: {
    encode: encodeCbor,
    decode: (from: In) => decodeAny(from, from.end, from.views),
  },
  genEncode(g, v) {
    g.line(`w.pos=p;${g.external(encodeAny)}(w,${v});p=w.pos;`);
    g.reload();
  },
  genDecode(g) {
    const n = g.readLeb();
    g.line(`if(!(${n}<=E-p))bad();`);
    g.start("I.size=E-p;I.objects=undefined;");
    g.line("I.pos=p;");
    const x = g.bind(`${g.external(decodeAny)}(I,p+${n},views)`);
    g.line("p=I.pos;");
    return x;
  },
};

/** Any value that CBOR (RFC 8949) can carry, with its types in the bytes. Alone it is plain CBOR, which other languages read. */
export const any: Codec<unknown> = /* @__PURE__ */ makeCodec<Codec<unknown>>({
  kind: "any",
  build: () => node,
  describe: () => "any",
});
