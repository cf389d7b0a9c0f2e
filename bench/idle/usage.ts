/** What a process is asked: `collect` first takes out the garbage, which costs time of its own. */
export interface UsageRequest {
  readonly collect: boolean;
}

/** CPU time so far, and memory. */
export function usage({ collect }: UsageRequest): { cpuMs: number; rssBytes: number } {
  if (collect) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage().rss };
}
