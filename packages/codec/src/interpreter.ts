/** The format without generated code: slower, works everywhere, and says exactly what is wrong with a value or message. */
import { decodeAlone, encodeAlone } from "./bits.ts";
import type { CodecError } from "./codec-error.ts";
import { fail, toCodecError } from "./fault.ts";
import type { Planned } from "./plan.ts";
import type { Reader } from "./reader.ts";
import { In, Out } from "./state.ts";
import type { Writer } from "./writer.ts";

/** Appends a message. @throws CodecError, with `writer.pos` where it was */
export function interpretEncode({ node, hasText }: Planned, writer: Writer, value: unknown, strict = false): void {
  const start = writer.pos;
  try {
    if (node.root !== undefined) return node.root.encode(writer, value);
    for (let pass = 0; ; pass++) {
      const out = new Out(writer, strict);
      out.probing = pass > 0;
      encodeAlone(out, node, value);
      if (!hasText || out.finish()) return;
      writer.pos = start;
    }
  } catch (error) {
    writer.pos = start;
    throw toCodecError(error);
  }
}

/** Reads the message that fills `reader.pos..reader.end`. @throws CodecError */
export function interpretDecode({ node, hasText }: Planned, reader: Reader, views: boolean): unknown {
  const start = reader.pos;
  let from: In | undefined;
  try {
    if (node.root !== undefined) return node.root.decode(reader, views);
    from = new In(reader, views);
    if (hasText) from.end = from.text.open(from.bytes, from.view, from.pos, from.end);
    const value = decodeAlone(from, node);
    if (from.pos !== from.end) fail("trailing", `${from.end - from.pos} bytes left over after the value`);
    if (hasText) from.text.close();
    reader.pos = reader.end;
    return value;
  } catch (error) {
    throw atOffset(error, (from ?? reader).pos - start);
  }
}

function atOffset(error: unknown, offset: number): CodecError {
  return toCodecError(error, Math.max(offset, 0));
}
