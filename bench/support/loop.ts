let sink: unknown;

/**
 * Milliseconds that `count` runs took. Imported once per contestant, with a query of its own, for feedback of its own.
 *
 * It is the lesser of wall and CPU time: the wall's clock also counts what else the machine did meanwhile, and the CPU's
 * also counts helper threads that ran beside us.
 */
export function loop(count: number, work: (input: unknown) => unknown, input: unknown): number {
  let result: unknown;
  const before = process.cpuUsage();
  const startMs = performance.now();
  for (let i = 0; i < count; i++) result = work(input);
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  // Somebody could look at it: the work is not dead code.
  sink = result;
  return sink === loop ? 0 : Math.min(wallMs, (user + system) / 1000);
}
