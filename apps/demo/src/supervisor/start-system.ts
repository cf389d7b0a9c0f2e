import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gossipRegistry, type GossipRegistry, type PipitClient } from "pipit";
import type { ProcessInfo, ProcessKind } from "../contracts/index.ts";
import { connect } from "../processes/connect.ts";
import { ProcessSupervisor } from "./process-supervisor.ts";
import { serveSupervisor, supervisorId } from "./serve-supervisor.ts";

/** Options of {@link startSystem}. */
export interface SystemOptions {
  /** File of the control plan. */
  readonly planPath: string;
  /** How many processes of each kind. */
  readonly counts: Readonly<Record<ProcessKind, number>>;
  /** Seed of the simulated measurements. Default 1. */
  readonly seed?: number | undefined;
  /** Simulated measurements per second and characteristic. Default 5: an eye can follow it. */
  readonly measurementsPerSecond?: number | undefined;
  /** Measurements to send instead of simulated ones. */
  readonly csvPath?: string | undefined;
  /** Called when an instance serves. */
  readonly onStarted?: ((instance: ProcessInfo) => void) | undefined;
  /** Starts no further processes once it fires, and rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** The demo, running. */
export interface System {
  readonly supervisor: ProcessSupervisor;
  /** Gossip address of a member that stays: a seed for further ones. */
  readonly seeds: readonly string[];
  readonly registry: GossipRegistry;
  readonly client: PipitClient;
  /** Ends all processes in order and removes their databases. */
  close(): Promise<void>;
}

/**
 * Starts the whole demo on loopback, ports as the system gives them. The first member of the cluster is the caller's process;
 * all others are told its address and find each other from there.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const dataDir = mkdtempSync(join(tmpdir(), "pipit-demo-"));
  const registry = gossipRegistry({ id: supervisorId, cluster: "demo" });
  const { host, port } = await registry.open();
  const seeds = [`${host}:${port}`];
  const { planPath, seed = 1, measurementsPerSecond = 5, csvPath, signal } = options;
  const supervisor = new ProcessSupervisor({ seeds, planPath, dataDir, seed, measurementsPerSecond, csvPath });
  const client = connect(registry);
  const server = await serveSupervisor(supervisor, registry);

  async function close(): Promise<void> {
    await client.close();
    await supervisor.close();
    await server.close({ graceMs: 500 });
    await registry.destroy();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    // Those that begin to call by themselves come when the others are there: a call to nobody is a failed call.
    for (const kinds of [
      ["non-conformance", "charts", "inspection"],
      ["stations", "operators"],
    ] as const) {
      signal?.throwIfAborted();
      const starts = kinds.flatMap((kind) => Array.from({ length: options.counts[kind] }, () => supervisor.add(kind)));
      for (const instance of await Promise.all(starts)) options.onStarted?.(instance);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { supervisor, seeds, registry, client, close };
}
