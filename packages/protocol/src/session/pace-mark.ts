import { FrameType, frameHeadBytes, paceMark, pingBytes } from "./wire.ts";

/* A mark of {@link Pace} on the wire: a ping that says, once it comes back, that the peer has read what was ahead of it. */

/** The ping frame of a mark. */
export function markFrame(number: number): Uint8Array {
  const frame = new Uint8Array(frameHeadBytes + pingBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, frame.length - 4, true);
  frame[4] = FrameType.ping;
  frame[frameHeadBytes] = paceMark;
  view.setUint32(frameHeadBytes + 1, number, true);
  return frame;
}

/** The number of the mark whose pong begins at `bytes[start]`. */
export function readMark(bytes: Uint8Array, start: number): number {
  const at = (offset: number): number => bytes[start + offset] ?? 0;
  return (at(1) | (at(2) << 8) | (at(3) << 16) | (at(4) << 24)) >>> 0;
}
