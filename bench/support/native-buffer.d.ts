/** What Node's buffers can do and its types, as of 20, do not say. */
interface Buffer {
  latin1Write(text: string, offset: number): number;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number): number;
  ucs2Write(text: string, offset: number): number;
  ucs2Slice(start: number, end: number): string;
}
