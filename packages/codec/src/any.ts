import { objectsIn, readCbor } from "./cbor-decode.ts";
import { type CborEncodeOptions, encodeCbor } from "./cbor-encode.ts";
import type { CborInput } from "./cbor-input.ts";
import { makeCodec } from "./codec.ts";
import { fail } from "./fault.ts";
import type { Node } from "./node.ts";
import type { In, Out } from "./state.ts";
import { writeLeb } from "./state.ts";
import type { Codec } from "./types.ts";
import type { Writer } from "./writer.ts";

/** Options of {@link cbor}. */
export interface CborOptions {
  /**
   * Sorts the entries of objects and Maps by the bytes of their keys (RFC 8949 section 4.2.1), so that equal values have
   * equal bytes whatever the order of their keys: for hashes, signatures and cache keys. Sets keep their order. Default
   * `false`: the order of the value.
   */
  readonly deterministic?: boolean | undefined;
}

/** CBOR at `writer.pos`, after its length. */
function encodeAny(writer: Writer, value: unknown, options: CborEncodeOptions | undefined): void {
  const start = writer.pos;
  writer.reserve(9);
  writer.pos = start + 1;
  encodeCbor(writer, value, options);
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

function nodeOf(options?: CborEncodeOptions): Node {
  const encode = (writer: Writer, value: unknown): void => encodeAny(writer, value, options);
  return {
    kind: "any",
    of: [],
    bits: 0,
    most: 0,
    least: () => 1,
    head: () => 0,
    encode: (out: Out, value: unknown) => encode(out.writer, value),
    decode(from: In) {
      const size = from.leb();
      const end = from.skip(size) + size;
      from.pos = end - size;
      return decodeAny(from, end, from.views);
    },
    root: {
      encode: (writer: Writer, value: unknown) => encodeCbor(writer, value, options),
      decode: (from: In) => decodeAny(from, from.end, from.views),
    },
    genEncode(g, v) {
      g.line(`w.pos=p;${g.external(encode)}(w,${v});p=w.pos;`);
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
}

/**
 * {@link any} with options for what is written. What it reads, and its schema, are those of `any`: both may stand for
 * each other on the two sides of a wire.
 */
export function cbor(options: CborOptions): Codec<unknown> {
  const { deterministic } = options;
  return makeCodec({ kind: "any", build: () => nodeOf({ deterministic }), describe: () => "any" });
}

/** Any value that CBOR (RFC 8949) can carry, with its types in the bytes. Alone it is plain CBOR, which other languages read. */
export const any: Codec<unknown> = /* @__PURE__ */ makeCodec<Codec<unknown>>({
  kind: "any",
  build: () => nodeOf(),
  describe: () => "any",
});
