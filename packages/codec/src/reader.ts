let lastBytes: Uint8Array | undefined;
let lastView: DataView;

/** Longest array whose view is kept, since that keeps the array alive. */
const KEPT_BYTES = 65_536;

/** A view of all of `bytes`. The last one is kept, for callers that read one array several times. */
export function viewOf(bytes: Uint8Array): DataView {
  if (lastBytes !== bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length > KEPT_BYTES) return view;
    lastView = view;
    lastBytes = bytes;
  }
  return lastView;
}

/** A window on received bytes: one message lies between `pos` and `end`. Decoding moves `pos`. */
export class Reader {
  declare bytes: Uint8Array;
  declare view: DataView;
  declare pos: number;
  declare end: number;

  constructor(bytes: Uint8Array = new Uint8Array(0), start = 0, end?: number) {
    this.reset(bytes, start, end);
  }

  /**
   * Looks at other bytes. The view is kept while the memory is the same one: chunks of one slab repeat.
   *
   * @throws RangeError when `start` and `end` do not lie inside `bytes`
   */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`Reader window ${start}..${end} lies outside ${bytes.length} bytes`);
    }
    const view = this.view as DataView | undefined;
    if (view?.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset || view.byteLength !== bytes.byteLength) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }
}
