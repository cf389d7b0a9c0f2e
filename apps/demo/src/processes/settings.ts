import type { ProcessKind } from "../contracts/index.ts";

/** What the supervisor tells a process at its start, as JSON in its first argument. */
export interface ProcessSettings {
  /** `charts-2`: member of the cluster, instance of its services. */
  readonly id: string;
  readonly kind: ProcessKind;
  /** Gossip addresses of members that run. */
  readonly seeds: readonly string[];
  /** File of the control plan. */
  readonly planPath: string;
  /** Folder of the databases. */
  readonly dataDir: string;
  /** Seed of the simulated measurements. */
  readonly seed: number;
  /** Simulated measurements per second and characteristic. */
  readonly measurementsPerSecond: number;
  /** Measurements to send instead of simulated ones. */
  readonly csvPath?: string | undefined;
}

/** What the gateway is told at its start, likewise. */
export interface GatewaySettings {
  /** Gossip addresses of members that run. */
  readonly seeds: readonly string[];
  /** TCP port of the page on loopback; 0 for any. */
  readonly port: number;
}

/** What a process tells its parent over the pipe between them. */
export type ProcessMessage =
  /** With a `url` when it is the gateway: the address of its page. */
  { readonly type: "ready"; readonly url?: string } | { readonly type: "failed"; readonly reason: string };

/** @throws SyntaxError when the process was not started by the supervisor */
export function readSettings(): ProcessSettings {
  return JSON.parse(process.argv[2] ?? "") as ProcessSettings;
}

/** The last part of an id: 2 of `charts-2`. */
export function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}
