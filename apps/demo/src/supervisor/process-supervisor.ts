import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProcessInfo, ProcessKind } from "../contracts/index.ts";
import { numberOf, type ProcessSettings } from "../processes/settings.ts";
import { ready, startChild } from "./child.ts";

/** Instances that are asked to stop get this long before they are killed, in milliseconds. */
const stopMs = 6000;

/** What all processes are told alike. */
export type CommonSettings = Omit<ProcessSettings, "id" | "kind">;

interface Entry {
  readonly id: string;
  readonly kind: ProcessKind;
  state: ProcessInfo["state"];
  child: ChildProcess | undefined;
  startedAt: Date;
  starts: number;
}

/** A wish that cannot be granted in the state that an instance is in. */
export class WrongState extends Error {
  readonly state: string;

  constructor(action: string, id: string, state: string) {
    super(`Cannot ${action} ${id}: it is ${state}`);
    this.state = state;
  }
}

/** Starts, breaks, mends and ends the demo's processes. */
export class ProcessSupervisor {
  readonly #settings: CommonSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #janitor: ChildProcess;
  #closing = false;

  constructor(settings: CommonSettings) {
    this.#settings = settings;
    const janitor = fileURLToPath(new URL("janitor.ts", import.meta.url));
    this.#janitor = spawn(process.execPath, [...process.execArgv, janitor, settings.dataDir], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    });
    // It outlives nobody but us, and by a moment: it is not to hold us up.
    this.#janitor.unref();
    this.#janitor.stdin?.on("error", () => {});
  }

  list(): ProcessInfo[] {
    return [...this.#entries.values()].map(infoOf);
  }

  get(id: string): ProcessInfo | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : infoOf(entry);
  }

  /** Starts one more instance; resolves when it serves. @throws Error when it cannot start */
  async add(kind: ProcessKind): Promise<ProcessInfo> {
    const numbers = [...this.#entries.values()].filter((entry) => entry.kind === kind).map(({ id }) => numberOf(id));
    const id = `${kind}-${Math.max(0, ...numbers) + 1}`;
    const entry: Entry = { id, kind, state: "stopped", child: undefined, startedAt: new Date(0), starts: 0 };
    this.#entries.set(id, entry);
    return this.#start(entry);
  }

  /** kill -9. */
  crash(id: string): ProcessInfo {
    const entry = this.#entry(id);
    if (entry.state !== "crashed") {
      this.#signal(entry, "crash", "SIGKILL", ["starting", "running", "frozen", "draining"]);
      entry.state = "crashed";
    }
    return infoOf(entry);
  }

  /** SIGSTOP: the kernel keeps its sockets open, and nothing answers. */
  freeze(id: string): ProcessInfo {
    const entry = this.#entry(id);
    if (entry.state !== "frozen") {
      this.#signal(entry, "freeze", "SIGSTOP", ["running"]);
      entry.state = "frozen";
    }
    return infoOf(entry);
  }

  /** SIGCONT. */
  thaw(id: string): ProcessInfo {
    const entry = this.#entry(id);
    if (entry.state !== "running") {
      this.#signal(entry, "thaw", "SIGCONT", ["frozen"]);
      entry.state = "running";
    }
    return infoOf(entry);
  }

  /** SIGTERM: it drains and ends. */
  drain(id: string): ProcessInfo {
    const entry = this.#entry(id);
    if (entry.state !== "draining" && entry.state !== "stopped") {
      this.#signal(entry, "drain", "SIGTERM", ["running"]);
      entry.state = "draining";
    }
    return infoOf(entry);
  }

  /** Starts a dead instance again under its name, or thaws a frozen one; resolves when it serves. */
  async revive(id: string): Promise<ProcessInfo> {
    const entry = this.#entry(id);
    if (entry.state === "frozen") return this.thaw(id);
    if (entry.state === "running") return infoOf(entry);
    if (entry.state === "starting") throw new WrongState("revive", id, entry.state);
    // Killed a moment ago, or still draining: two lives of one name would be at odds.
    if (entry.child !== undefined) await once(entry.child, "exit");
    return this.#start(entry);
  }

  /** Sees to it that a process which somebody else started and stops is not left behind either. */
  adopt(child: ChildProcess): void {
    const { pid } = child;
    this.#janitor.stdin?.write(`+${pid}\n`);
    child.once("exit", () => this.#janitor.stdin?.write(`-${pid}\n`));
  }

  /** Stops all processes in order: those first that call by themselves, so that nobody misses those that answer. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const kinds of [
      ["operators", "stations"],
      ["inspection", "charts", "non-conformance"],
    ] as const satisfies ProcessKind[][]) {
      const entries = [...this.#entries.values()].filter(({ kind }) =>
        (kinds as readonly ProcessKind[]).includes(kind),
      );
      await Promise.all(entries.map((entry) => this.#stop(entry)));
    }
    this.#janitor.stdin?.end();
  }

  async #start(entry: Entry): Promise<ProcessInfo> {
    if (this.#closing) throw new Error(`Cannot start ${entry.id}: the demo is ending`);
    const child = startChild({ ...this.#settings, id: entry.id, kind: entry.kind });
    Object.assign(entry, { child, state: "starting", startedAt: new Date(), starts: entry.starts + 1 });
    this.adopt(child);
    child.once("exit", () => {
      if (entry.child !== child) return;
      entry.state = entry.state === "draining" ? "stopped" : "crashed";
      entry.child = undefined;
    });
    await ready(entry.id, child);
    if (entry.state === "starting") entry.state = "running";
    return infoOf(entry);
  }

  async #stop(entry: Entry): Promise<void> {
    const { child } = entry;
    if (child === undefined) return;
    const exited = once(child, "exit");
    if (entry.state === "frozen" || entry.state === "starting") child.kill("SIGKILL");
    else child.kill("SIGTERM");
    entry.state = "draining";
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
    await exited;
    clearTimeout(timer);
  }

  #signal(entry: Entry, action: string, signal: NodeJS.Signals, states: readonly ProcessInfo["state"][]): void {
    if (entry.child === undefined || !states.includes(entry.state)) throw new WrongState(action, entry.id, entry.state);
    entry.child.kill(signal);
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new RangeError(`There is no process ${id}`);
    return entry;
  }
}

function infoOf({ id, kind, state, child, startedAt, starts }: Entry): ProcessInfo {
  return { id, kind, state, pid: child?.pid ?? 0, startedAt, starts };
}
