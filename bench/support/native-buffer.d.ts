/** What Node's buffers can do and its types, as of 20, do not say. */
interface Buffer {
  latin1Write(text: string, offset: number): number;
  latin1Slice(start: number, end: number): string;
}
