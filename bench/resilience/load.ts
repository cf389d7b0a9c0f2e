import { setTimeout as sleep } from "node:timers/promises";
import type { CallOptions, CallRecord, RpcError } from "pipit";
import { percentile } from "../support/statistics.ts";

/** One sending of a call. */
export interface Sending {
  readonly endpoint: string;
  readonly atMs: number;
  readonly code: string | undefined;
  /** It did not run there. */
  readonly refused: boolean;
}

/** A method of the typed client. */
export type Call = (request: { readonly n: number }, options: CallOptions) => Promise<unknown>;

/** What became of the calls of one load. */
export class Tally {
  readonly latenciesMs: number[] = [];
  readonly errors: RpcError[] = [];
  readonly sendings: Sending[] = [];
  inFlight = 0;
  mostInFlight = 0;

  get calls(): number {
    return this.latenciesMs.length + this.errors.length;
  }

  get p99Ms(): number {
    return percentile(this.latenciesMs, 0.99);
  }

  /** Share of sendings to some endpoints, from a moment on. */
  shareOf(endpoints: readonly string[], fromMs = 0): number {
    const late = this.sendings.filter(({ atMs }) => atMs >= fromMs);
    return late.filter(({ endpoint }) => endpoints.includes(endpoint)).length / late.length;
  }

  /** Makes one call and keeps what came of it. It never rejects. */
  async make(call: Call): Promise<void> {
    const startedMs = performance.now();
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await call({ n: this.calls }, { onEnd: ({ record }) => this.#keep(record, startedMs) });
      this.latenciesMs.push(performance.now() - startedMs);
    } catch (error) {
      this.errors.push(error as RpcError);
    }
    this.inFlight--;
  }

  #keep({ attempts }: CallRecord, startedMs: number): void {
    for (const { endpoint, startedAtMs, code, handled } of attempts) {
      this.sendings.push({ endpoint, atMs: startedMs + startedAtMs, code, refused: handled === "no" });
    }
  }
}

/** A load that runs until it is stopped. */
export interface Load {
  /** Where results go from now on. */
  tally: Tally;
  /** Makes no more calls, and waits for the open ones. */
  stop(): Promise<void>;
}

/** A load's wish to go on, kept where loops see it change. */
interface Running {
  isOn: boolean;
}

/** Calls at a steady rate, whether or not earlier ones have been answered. They take turns among `calls`. */
export function atRate(perSecond: number, ...calls: readonly Call[]): Load {
  const running: Running = { isOn: true };
  const open = new Set<Promise<void>>();
  const load: Load = {
    tally: new Tally(),
    async stop() {
      running.isOn = false;
      await issuing;
      await Promise.all(open);
    },
  };
  const issuing = issue();
  return load;

  async function issue(): Promise<void> {
    const startedMs = performance.now();
    for (let made = 0; running.isOn; ) {
      const due = ((performance.now() - startedMs) * perSecond) / 1000;
      for (; made < due; made++) {
        const made1 = load.tally.make(calls[made % calls.length] as Call);
        open.add(made1);
        void made1.then(() => open.delete(made1));
      }
      await sleep(1);
    }
  }
}

/** So many calls in flight, always. */
export function inFlight(count: number, call: Call): Load {
  const running: Running = { isOn: true };
  const load: Load = {
    tally: new Tally(),
    async stop() {
      running.isOn = false;
      await Promise.all(workers);
    },
  };
  const workers = Array.from({ length: count }, async () => {
    while (running.isOn) await load.tally.make(call);
  });
  return load;
}
