/** The format without generated code: slower, works everywhere, and says exactly what is wrong with a value or message. */
import { decodeAlone, encodeAlone } from "./bits.ts";
import { fail, toCodecError } from "./fault.ts";
import type { Planned } from "./plan.ts";
import { In, Out } from "./state.ts";
import { writeText } from "./text.ts";
import type { Writer } from "./writer.ts";

/** Appends a message. @throws CodecError, with `writer.pos` where it was */
export function interpretEncode(planned: Planned, writer: Writer, value: unknown, strict = false): void {
  const { node, hasText } = planned;
  const start = writer.pos;
  try {
    if (node.root !== undefined) return node.root.encode(writer, value);
    for (let end = -1; end < 0; ) {
      const out = new Out(writer, strict, planned.wide === true);
      encodeAlone(out, node, value);
      if (!hasText) return;
      end = writeText(writer, writer.pos, out.narrow, out.wide);
      // Otherwise a wide string had been taken for a narrow one.
      planned.wide = end < 0 || out.wide.length > 0;
      writer.pos = Math.max(start, end);
    }
  } catch (error) {
    writer.pos = start;
    throw toCodecError(error);
  }
}

/** Reads the message that fills `bytes[start..end]`. @throws CodecError */
export function interpretDecode(
  { node, hasText }: Planned,
  bytes: Uint8Array,
  view: DataView | undefined,
  start: number,
  end: number,
  views: boolean,
): unknown {
  const from = new In(bytes, view, start, end, views);
  try {
    if (node.root !== undefined) return node.root.decode(from);
    if (hasText) from.end = from.text.open(bytes, view, start, end);
    const value = decodeAlone(from, node);
    if (from.pos !== from.end) fail("trailing", `${from.end - from.pos} bytes left over after the value`);
    if (hasText) from.text.close();
    return value;
  } catch (error) {
    // Lists look past the end before they ask where it is.
    throw toCodecError(error, Math.min(Math.max(from.pos, start), end) - start);
  }
}
