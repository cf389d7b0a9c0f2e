/** What happened to the calls of one server. */
interface ServerTally {
  calls: number;
  readonly latenciesMs: number[];
}

/** Counts of a run, and the table made of them. */
export class Tally {
  judged = 0;
  failed = 0;
  retried = 0;
  /** First failures, as they were worded. */
  readonly failures: string[] = [];
  readonly #characteristics = new Map<string, { judged: number; out: number }>();
  readonly #servers = new Map<string, ServerTally>();

  judgedAs(characteristic: string, verdict: "ok" | "below" | "above"): void {
    this.judged++;
    const counts = this.#characteristics.get(characteristic) ?? { judged: 0, out: 0 };
    counts.judged++;
    if (verdict !== "ok") counts.out++;
    this.#characteristics.set(characteristic, counts);
  }

  answeredBy(server: string, elapsedMs: number, attempts: number): void {
    const tally = this.#servers.get(server) ?? { calls: 0, latenciesMs: [] };
    tally.calls++;
    tally.latenciesMs.push(elapsedMs);
    if (attempts > 1) this.retried++;
    this.#servers.set(server, tally);
  }

  failedWith(message: string): void {
    this.failed++;
    if (this.failures.length < 5) this.failures.push(message);
  }

  /** The summary, ready to print. `nameOf` turns an address into what a person calls the server. */
  table(elapsedMs: number, nameOf: (address: string) => string): string {
    const total = this.judged + this.failed;
    const perCharacteristic = [...this.#characteristics].map(([name, { judged, out }]) => [
      name,
      String(judged),
      String(out),
      percent(out / judged),
    ]);
    const perServer = [...this.#servers]
      .map(([address, tally]) => ({ name: nameOf(address), tally }))
      .sort((a, b) => a.name.localeCompare(b.name))
      .map(({ name, tally }) => {
        const sorted = Float64Array.from(tally.latenciesMs).sort();
        return [
          name,
          String(tally.calls),
          percent(tally.calls / this.judged),
          `${at(sorted, 0.5)} ms`,
          `${at(sorted, 0.99)} ms`,
        ];
      });
    return [
      columns(["characteristic", "measurements", "out of specification", "share"], perCharacteristic),
      columns(["server", "calls", "share", "p50", "p99"], perServer),
      `${total} measurements, ${this.judged} judged, ${this.failed} lost; ` +
        `${this.retried} taken over by another server; ${Math.round((this.judged / elapsedMs) * 1000)} calls/s`,
    ].join("\n\n");
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function at(sorted: Float64Array, quantile: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0).toFixed(2);
}

/** Aligned text: the first column to the left, numbers to the right. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  return [line(head), ...rows.map(line)].join("\n");
}
