import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as setTimeoutPromise } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { InstanceState } from "../src/registry.ts";

/** What a member process writes. */
export type MemberReport =
  | { readonly type: "open"; readonly address: string }
  | {
      readonly type: "snapshot";
      readonly service: string;
      /** When the snapshot came, in ms since 1970: comparable between processes of one machine. */
      readonly atMs: number;
      readonly states: Readonly<Record<string, InstanceState>>;
    };

/** One member process and the last it reported. */
export interface MemberProcess {
  readonly id: string;
  readonly child: ChildProcess;
  address: string;
  /** Newest states by service. */
  readonly views: Map<string, Readonly<Record<string, InstanceState>>>;
}

/** How long one condition may take to come true before the run is called broken. */
const patienceMs = 30_000;

/** Members in processes of their own, all of which watch all services. */
export class ProcessCluster {
  readonly members = new Map<string, MemberProcess>();
  readonly services: readonly string[];
  readonly #program: string;
  readonly #folder: string;
  readonly #listeners = new Set<() => void>();
  #onSnapshot: ((member: MemberProcess, service: string, atMs: number) => void) | undefined;

  private constructor(folder: string, program: string, services: readonly string[]) {
    this.#folder = folder;
    this.#program = program;
    this.services = services;
  }

  /** Bundles the member program, so that a process starts in tens of milliseconds. */
  static async create(services: readonly string[]): Promise<ProcessCluster> {
    const folder = await mkdtemp(join(tmpdir(), "pipit-members-"));
    const program = join(folder, "member.mjs");
    await build({
      entryPoints: [fileURLToPath(new URL("./member-process.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["pipit-source"],
      logLevel: "silent",
    });
    return new ProcessCluster(folder, program, services);
  }

  /** Starts a member that serves `service`, and waits until its sockets are open. `wrapper` is a command to run it by. */
  async start(
    id: string,
    service: string,
    address: string = "127.0.0.1",
    wrapper: readonly string[] = [],
  ): Promise<MemberProcess> {
    const seeds = [...this.members.values()].map(({ address }) => address).slice(0, 5);
    const watched = this.services.join(",");
    const node = [process.execPath, this.#program, id, service, watched, seeds.join(","), address];
    const [command, ...rest] = [...wrapper, ...node] as [string, ...string[]];
    const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
    const member: MemberProcess = { id, child, address: "", views: new Map() };
    let partial = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) this.#take(member, JSON.parse(line) as MemberReport);
    });
    await this.until(() => member.address !== "", `${id} is open`);
    this.members.set(id, member);
    return member;
  }

  /** Waits until `condition` holds, asking after each report. @throws Error that names `what` when patience ends. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listeners.delete(check);
        reject(new Error(`It did not come true within ${patienceMs} ms that ${what}`));
      }, patienceMs);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#listeners.delete(check);
        resolve();
      };
      this.#listeners.add(check);
      check();
    });
  }

  /** Waits until every member sees exactly the members there are, all of them up. */
  settled(): Promise<void> {
    const wanted = [...this.members.keys()].sort().join();
    return this.until(
      () =>
        [...this.members.values()].every(({ views }) => {
          const states = [...views.values()].flatMap((view) => Object.entries(view));
          const up = states.filter(([, state]) => state === "up").map(([id]) => id);
          return states.length === up.length && up.sort().join() === wanted;
        }),
      `all members see ${wanted}`,
    );
  }

  /**
   * Sends a fatal signal to a member and waits until no other has it in a snapshot.
   *
   * @returns ms from the signal to the last of those snapshots.
   */
  async end(id: string, signal: "SIGKILL" | "SIGTERM"): Promise<number> {
    const member = this.members.get(id) as MemberProcess;
    this.members.delete(id);
    const others = new Set(this.members.values());
    let lastMs = 0;
    this.#onSnapshot = (other, _service, atMs) => {
      if (!others.has(other) || sees(other, id)) return;
      others.delete(other);
      lastMs = Math.max(lastMs, atMs);
    };
    const sentMs = performance.timeOrigin + performance.now();
    member.child.kill(signal);
    await this.until(() => others.size === 0, `${id} is gone after ${signal} (${others.size} members see it)`);
    this.#onSnapshot = undefined;
    return lastMs - sentMs;
  }

  /** Stops a member for `ms` and lets it go on. @returns as {@link ProcessCluster.lostDuring}. */
  freeze(id: string, ms: number): Promise<string[]> {
    const { child } = this.members.get(id) as MemberProcess;
    return this.lostDuring(async () => {
      child.kill("SIGSTOP");
      await setTimeoutPromise(ms);
      child.kill("SIGCONT");
    });
  }

  /** Does something harmful and waits until all see all again. @returns ids that vanished from any snapshot meanwhile. */
  async lostDuring(harm: () => Promise<void>): Promise<string[]> {
    const lost = new Set<string>();
    this.#onSnapshot = (other) => {
      for (const known of this.members.keys()) if (!sees(other, known)) lost.add(known);
    };
    await harm();
    await this.settled();
    this.#onSnapshot = undefined;
    return [...lost];
  }

  /** Kills all members and removes the program. */
  async close(): Promise<void> {
    for (const { child } of this.members.values()) child.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  #take(member: MemberProcess, report: MemberReport): void {
    if (report.type === "open") member.address = report.address;
    else {
      member.views.set(report.service, report.states);
      this.#onSnapshot?.(member, report.service, report.atMs);
    }
    for (const listener of this.#listeners) listener();
  }
}

function sees(member: MemberProcess, id: string): boolean {
  return [...member.views.values()].some((states) => id in states);
}
