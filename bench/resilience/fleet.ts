import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { startPinned } from "../support/pinned-process.ts";
import type { Fate, Order, Report } from "./contract.ts";

/** What a fleet serves, and how. */
export interface FleetOptions {
  /** How long a call takes: a timer, so that no server is ever busy. Default 10. */
  readonly serviceMs?: number;
  /** Which contract the server of this index serves. Default: the old one. */
  readonly contract?: (index: number) => "old" | "new";
  /** Servers announce themselves by gossip. */
  readonly gossip?: boolean;
}

interface Member {
  readonly process: ChildProcess;
  readonly port: number;
  readonly gossip: string | undefined;
}

/** Processes that have loaded and wait for an order to listen. Starting one costs more CPU than the load of a scenario. */
export class Barracks {
  readonly #spares: Promise<ChildProcess>[] = [];

  /** Sees to it that so many wait. Two load at a time: the machine may have no more cores. */
  async fill(count: number): Promise<void> {
    while (this.#spares.length < count) {
      const pair = [load(), load()];
      await Promise.all(pair);
      this.#spares.push(...pair);
    }
  }

  take(): Promise<ChildProcess> {
    return this.#spares.shift() ?? load();
  }

  /** Takes back one that is done. */
  give(child: ChildProcess): void {
    const rested = next(child, "loaded").then(() => child);
    order(child, { type: "rest" });
    this.#spares.push(rested);
  }

  async close(): Promise<void> {
    for (const spare of this.#spares.splice(0)) (await spare).disconnect();
  }
}

/** Ten servers, each a process. */
export class Servers {
  readonly #barracks: Barracks;
  readonly #options: FleetOptions;
  readonly #members: Member[] = [];

  private constructor(barracks: Barracks, options: FleetOptions) {
    this.#barracks = barracks;
    this.#options = options;
  }

  static async start(barracks: Barracks, options: FleetOptions = {}, count = 10): Promise<Servers> {
    const servers = new Servers(barracks, options);
    for (let index = 0; index < count; index++) await servers.#listen(index, 0);
    return servers;
  }

  get addresses(): string[] {
    return this.#members.map(({ port }) => `127.0.0.1:${port}`);
  }

  get gossip(): string[] {
    return this.#members.flatMap(({ gossip }) => (gossip === undefined ? [] : [gossip]));
  }

  /** Makes the server of this index slow, failing, or well again. */
  behave(index: number, serviceMs: number, fate: Fate = "serve"): void {
    order(this.#at(index).process, { type: "behave", serviceMs, fate });
  }

  /** `kill -9`. */
  async kill(index: number): Promise<void> {
    const { process } = this.#at(index);
    const gone = once(process, "exit");
    process.kill("SIGKILL");
    await gone;
  }

  /** A graceful stop, then another process at the same port. */
  async restart(index: number): Promise<void> {
    const { process, port } = this.#at(index);
    const gone = once(process, "exit");
    order(process, { type: "stop" });
    await gone;
    await this.#listen(index, port);
  }

  /** Gives back the living. */
  close(): void {
    for (const { process } of this.#members) if (isAlive(process)) this.#barracks.give(process);
  }

  async #listen(index: number, port: number): Promise<void> {
    const { serviceMs = 10, contract = () => "old", gossip = false } = this.#options;
    const process = await this.#barracks.take();
    const listening = next(process, "listening");
    const seeds = gossip ? this.gossip.slice(0, 3) : undefined;
    order(process, { type: "listen", port, contract: contract(index), serviceMs, seeds });
    const report = await listening;
    this.#members[index] = { process, port: report.port, gossip: report.gossip };
  }

  #at(index: number): Member {
    const member = this.#members[index];
    if (member === undefined) throw new RangeError(`No server ${index}: there are ${this.#members.length}`);
    return member;
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function load(): Promise<ChildProcess> {
  const child = startPinned(new URL("server-process.ts", import.meta.url).pathname, []);
  await next(child, "loaded");
  return child;
}

async function next<T extends Report["type"]>(child: ChildProcess, type: T): Promise<Extract<Report, { type: T }>> {
  const [report] = (await once(child, "message")) as [Report];
  if (report.type !== type) throw new Error(`A server said "${report.type}", "${type}" was expected`);
  return report as Extract<Report, { type: T }>;
}

function order(child: ChildProcess, message: Order): void {
  child.send(message);
}
