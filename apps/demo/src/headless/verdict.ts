import type { Audit } from "./audit.ts";
import type { FaultOutcome } from "./fault-script.ts";

/** What a headless run came to. */
export interface RunResult extends Pick<Audit, "lost" | "doubled"> {
  /** `safe` and `once` calls that failed at their callers. */
  readonly failedCalls: number;
  readonly alarms: number;
  readonly tickets: number;
  readonly outcomes: readonly FaultOutcome[];
}

/** The promises of the demo that a run broke, a sentence each; empty when all is well. */
export function brokenPromises({ failedCalls, lost, doubled, alarms, tickets, outcomes }: RunResult): string[] {
  const broken: string[] = [];
  if (failedCalls > 0) broken.push(`Broken promise: ${failedCalls} calls failed at their callers`);
  if (lost > 0) broken.push(`Broken promise: ${lost} measurements lost`);
  if (doubled > 0) broken.push(`Broken promise: ${doubled} measurements recorded twice`);
  if (alarms !== tickets) broken.push(`Broken promise: ${alarms} alarms, but ${tickets} tickets`);
  for (const { fault, instance, recoveredMs } of outcomes) {
    if (recoveredMs === undefined) broken.push(`Not recovered from: ${fault} of ${instance}`);
  }
  return broken;
}
