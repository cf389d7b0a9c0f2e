let sink: unknown;

/** Milliseconds that `count` runs took. Imported once per contestant, with a query of its own, for feedback of its own. */
export function loop(count: number, work: (input: unknown) => unknown, input: unknown): number {
  let result: unknown;
  const startMs = performance.now();
  for (let i = 0; i < count; i++) result = work(input);
  const tookMs = performance.now() - startMs;
  // Somebody could look at it: the work is not dead code.
  sink = result;
  return sink === loop ? 0 : tookMs;
}
