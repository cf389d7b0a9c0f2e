/** Reads the text sections at the end of a message (docs/codec-format.md, section 5). */
import { fail, truncated } from "./fault.ts";
import { viewOf } from "./reader.ts";
import { readLatin1, readUtf16, readUtf8, refuseTornUtf16 } from "./text-encodings.ts";

/** Bytes of narrow text that are made into one string at a time: what a kept short string keeps alive at most. */
const PAGE_BYTES = 4096;
/** Strings from this length on get a slice of their own. */
const OWN_SLICE_BYTES = 1024;

/** Takes strings from the text sections of one message, in order. */
export class TextReader {
  #bytes!: Uint8Array;
  #view: DataView | undefined;
  /** The narrow text that is left. Compiled code takes narrow strings by itself. */
  start = 0;
  end = 0;
  #page = "";
  #pageStart = 0;
  #pageEnd = 0;
  #wide: string | undefined;
  #wideStart = 0;
  #wideEnd = 0;
  #utf16 = false;
  #taken = 0;
  #at = 0;

  /** Finds the sections of the message `bytes[start..end]`; gives the position where its data ends. */
  open(bytes: Uint8Array, view: DataView | undefined, start: number, end: number): number {
    this.#bytes = bytes;
    this.#view = view;
    this.#taken = 0;
    this.#wide = undefined;
    if (end <= start) truncated();
    let pos = end - 1;
    const last = bytes[pos] as number;
    if (last < 128 && (last & 1) === 0) {
      this.#wideStart = this.#wideEnd = this.end = pos;
      this.start = pos - (last >> 1);
    } else {
      pos = this.#openLong(start, end);
    }
    if (this.start < start) truncated();
    this.#pageStart = this.#pageEnd = this.start;
    return this.start;
  }

  #openLong(start: number, end: number): number {
    const narrow = this.#backwards(start, end);
    const narrowSize = Math.floor(narrow / 2);
    this.#wideStart = this.#wideEnd = this.#at;
    if (narrow % 2 === 1) {
      const wide = this.#backwards(start, this.#at);
      const size = Math.floor(wide / 2);
      this.#utf16 = wide % 2 === 1;
      if (size === 0 || (this.#utf16 && size % 2 === 1)) fail("malformed", "wide text of impossible size");
      this.#wideEnd = this.#at;
      this.#wideStart = this.#at - size;
    }
    this.end = this.#wideStart;
    this.start = this.end - narrowSize;
    return this.#at;
  }

  /** A length before `end`; where it begins is then in `#at`. */
  #backwards(start: number, end: number): number {
    let pos = end;
    let value = 0;
    for (let scale = 1, count = 0; count < 6; scale *= 128, count++) {
      if (pos <= start) truncated();
      const byte = this.#bytes[--pos] as number;
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && count > 0) fail("malformed", "over-long text length");
        this.#at = pos;
        return value;
      }
    }
    fail("malformed", "text length past its bounds");
  }

  /** The next string, of `units` characters, from the narrow or the wide section. */
  take(units: number, wide: boolean): string {
    if (wide) return this.#takeWide(units);
    const start = this.start;
    const end = start + units;
    if (end > this.end) truncated();
    this.start = end;
    if (end > this.#pageEnd) {
      if (units >= OWN_SLICE_BYTES) {
        this.#pageEnd = 0;
        return readLatin1(this.#bytes, start, end);
      }
      this.#pageStart = start;
      this.#pageEnd = Math.min(start + PAGE_BYTES, this.end);
      this.#page = readLatin1(this.#bytes, start, this.#pageEnd);
    }
    return this.#page.substring(start - this.#pageStart, end - this.#pageStart);
  }

  #takeWide(units: number): string {
    this.#wide ??= this.#readWide();
    const end = this.#taken + units;
    if (end > this.#wide.length || this.#wideStart === this.#wideEnd) truncated();
    // As the whole is well-formed, what splits a pair ends before the second half of one.
    if (units === 0 || (end < this.#wide.length && (this.#wide.charCodeAt(end) & 0xfc00) === 0xdc00)) {
      fail("malformed", "wide string that is empty or splits a surrogate pair");
    }
    const text = this.#wide.substring(this.#taken, end);
    this.#taken = end;
    return text;
  }

  /** The wide section as a string, checked. */
  #readWide(): string {
    const bytes = this.#bytes;
    const start = this.#wideStart;
    const end = this.#wideEnd;
    if (!this.#utf16) return readUtf8(bytes, start, end);
    const view = this.#view ?? viewOf(bytes);
    const text = readUtf16(bytes, view, start, end);
    refuseTornUtf16(view, start, end, text);
    return text;
  }

  /** Refuses text that no string took. */
  close(): void {
    if (this.start !== this.end) fail("trailing", "text is left over that no string took");
    this.closeWide();
  }

  closeWide(): void {
    const taken = this.#wide?.length;
    // Compiled code keeps its reader, and would keep the message alive with it.
    this.#bytes = this.#view = this.#wide = undefined as never;
    if (this.#wideStart !== this.#wideEnd && taken !== this.#taken) {
      fail("trailing", "wide text is left over that no string took");
    }
  }
}
