/** Bytes of one small object with another inside, about. */
const objectBytes = 88;

let held: unknown;

/**
 * Holds as many megabytes of small objects as PIPIT_BENCH_HEAP_MB says, as an application does. V8 marks all of a heap after so much
 * memory was taken outside of it, and how much depends on the heap: a bare process may be spared what no service is.
 */
export function holdHeap(): void {
  const megabytes = Number(process.env["PIPIT_BENCH_HEAP_MB"] ?? 0);
  if (megabytes === 0) return;
  held = Array.from({ length: (megabytes * 1e6) / objectBytes }, (_, n) => ({ n, inner: { n } }));
  if (!Array.isArray(held)) throw new Error("The heap is not held");
}

/** Flags for a heap that V8 need not mark. */
export const roomyHeap: readonly string[] = ["--initial-heap-size=2000"];
