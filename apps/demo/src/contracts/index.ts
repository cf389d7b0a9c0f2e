/*
 * What the processes of the demo say to each other. Data flow:
 *
 *   stations ──submit (client stream)──▶ inspection ──record (hashKey: characteristic)──▶ charts ──open (once)──▶ non-conformance
 *                                                                                           │                        ▲
 *   operators ──judge (safe)──▶ inspection        operators ──list, assign, close (once)────┼────────────────────────┘
 *                                                                                           │
 *   gateway ──watch (server stream), list, capability──────────────────────────────────────▶┘   … and every other service
 *   gateway ──stats, inject──▶ process (each one, at its own address)     gateway ──crash, freeze, …──▶ supervisor
 *
 * All are found by gossip. An instance is called `charts-2` everywhere: member, registry, stats, supervisor.
 */
export {
  Alarm,
  Capability,
  ChartEvent,
  ChartLimits,
  Charts,
  ChartSummary,
  ControlLimits,
  Inspected,
  Point,
  Source,
} from "./charts.ts";
export { Inspection, Specification, Verdict } from "./inspection.ts";
export { Measurement } from "./measurement.ts";
export { NonConformance, Ticket, TicketState } from "./non-conformance.ts";
export { CallCounts, Fault, Process, ProcessKind, ProcessStats } from "./process.ts";
export { StationProgress, Stations } from "./stations.ts";
export { ProcessInfo, Supervisor } from "./supervisor.ts";
