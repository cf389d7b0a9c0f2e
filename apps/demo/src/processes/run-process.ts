import { createServer, gossipRegistry, type PipitClient, type ReplyStore, type Server } from "pipit";
import { Process } from "../contracts/index.ts";
import { CallCounter } from "./call-counter.ts";
import { connect } from "./connect.ts";
import { FaultPlayer } from "./faults.ts";
import { type ProcessMessage, type ProcessSettings, readSettings } from "./settings.ts";
import { countCalled, countServed } from "./telemetry.ts";

/** Calls under way get this long when the process is asked to stop, in milliseconds. */
const graceMs = 3000;

/** What a process's own part builds on. */
export interface Surroundings {
  /** Finds every service of the demo; see also `chartsOf`. */
  readonly client: PipitClient;
  readonly settings: ProcessSettings;
}

/** A process's own part. */
export interface Part {
  /** Where replies of `once` calls are kept, where there are any. */
  readonly replyStore?: ReplyStore;
  /** Adds its services. */
  serve(server: Server): void;
  /** Called when the server listens. */
  start?(): void;
  /** Called when the process is asked to stop, while its server still answers. */
  stop?(): Promise<void>;
  /** Called at the very end. */
  close?(): void;
}

/**
 * What all entry files have in common: join the cluster, serve, say so, stop in order. The process ends when it is told to
 * (SIGTERM), and at once when its parent is gone, so that nothing is left behind.
 */
export async function runProcess(setUp: (surroundings: Surroundings) => Part | Promise<Part>): Promise<void> {
  const settings = readSettings();
  const startedMs = performance.now();
  const [served, called, faults] = [new CallCounter(), new CallCounter(), new FaultPlayer()];
  const now = (): number => performance.now();

  // Ctrl-C reaches every process of a terminal; the parent stops us in order.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit(0));

  const registry = gossipRegistry({ id: settings.id, seeds: settings.seeds, cluster: "demo" });
  const client = connect(
    registry,
    countCalled(called, now, (error) => console.error(`${settings.id}: ${String(error)}`)),
  );
  try {
    const part = await setUp({ client, settings });
    const server = createServer({ id: settings.id, registry, replyStore: part.replyStore });
    // Outermost first: a call that a fault turns away is counted as failed, and one that it delays as slow.
    server.use(countServed(served, now)).use(faults.interceptor);
    server.handle(Process, {
      stats: () => ({
        id: settings.id,
        kind: settings.kind,
        pid: process.pid,
        uptimeMs: Math.round(now() - startedMs),
        draining: server.stats().state !== "open",
        fault: faults.fault,
        served: served.read(now()),
        called: called.read(now()),
      }),
      inject({ fault }) {
        faults.fault = fault;
        return {};
      },
    });
    part.serve(server);

    process.once("SIGTERM", () => {
      void stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(`${settings.id} could not stop in order:`, error);
          process.exit(1);
        },
      );
    });
    async function stop(): Promise<void> {
      await part.stop?.();
      await server.close({ graceMs });
      await client.close();
      await registry.close();
      part.close?.();
    }
    await server.listen();
    part.start?.();
    tell({ type: "ready" });
  } catch (error) {
    tell({ type: "failed", reason: (error as Error).message });
    process.exit(1);
  }
}

function tell(message: ProcessMessage): void {
  process.send?.(message);
}
