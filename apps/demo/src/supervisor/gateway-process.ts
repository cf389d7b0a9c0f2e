import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { GatewaySettings } from "../processes/settings.ts";
import { ready, spawnEntry } from "./child.ts";

const entry = new URL("../gateway/main.ts", import.meta.url);

/** The gateway gets this long to end when it is asked to, in milliseconds. */
const stopMs = 3000;

/** Options of {@link startGateway}. */
export interface GatewayProcessOptions {
  /** Gossip addresses of members that run. */
  readonly seeds: readonly string[];
  /** TCP port of the page on loopback; 0 for any. Default 0. */
  readonly port?: number | undefined;
  /** Is told of each process that is started; see `ProcessSupervisor.adopt`. */
  readonly adopt: (child: ChildProcess) => void;
}

/** The process that serves the page. */
export interface GatewayProcess {
  /** Address of the page. It stays the same over a restart. */
  readonly url: string;
  readonly pid: number | undefined;
  /** Rejects when the process has ended and cannot be started again. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/**
 * Starts the gateway, and starts it again at its address when it ends unasked: open pages reconnect by themselves.
 *
 * @throws Error that says why it cannot start, such as a port that is taken
 */
export async function startGateway({ seeds, port = 0, adopt }: GatewayProcessOptions): Promise<GatewayProcess> {
  let closing = false;
  let child: ChildProcess;
  let lose: (error: unknown) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  // Whoever does not wait for it need not hear of it.
  lost.catch(() => {});

  async function start(settings: GatewaySettings): Promise<string> {
    const started = spawnEntry(entry, settings);
    child = started;
    adopt(started);
    const { url } = await ready("the gateway", started);
    if (url === undefined) throw new Error("Cannot start the gateway: it does not say where its page is");
    const restart = (): void => {
      if (!closing) start({ seeds, port: Number(new URL(url).port) }).catch(lose);
    };
    if (started.exitCode !== null || started.signalCode !== null) restart();
    else started.once("exit", restart);
    return url;
  }

  const url = await start({ seeds, port });
  return {
    url,
    lost,
    get pid() {
      return child.pid;
    },
    async close() {
      closing = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
