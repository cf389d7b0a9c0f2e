import type { Client } from "pipit";
import type { Alarm, NonConformance } from "../contracts/index.ts";
import type { ChangeSignal } from "./change-signal.ts";
import type { ChartStore } from "./chart-store.ts";

/** How often the store is asked for alarms that nobody told this instance of. */
const sweepMs = 1000;
/** An alarm of another owner that waits this long has lost its owner. */
const orphanedMs = 3000;

/** Options of {@link openTickets}. */
export interface TicketOpenerOptions {
  readonly owner: string;
  readonly store: ChartStore;
  readonly tickets: Client<typeof NonConformance>;
  /** Fires when there may be a new alarm. */
  readonly changes: ChangeSignal;
  readonly signal: AbortSignal;
}

/**
 * Sees to it that each alarm gets its ticket, until `signal` fires. An alarm is committed together with the point that gave it
 * and crossed out once its ticket is there. Between the two this process may die; another one then opens the ticket again, with
 * the same key, and gets the one that is there.
 */
export async function openTickets({ owner, store, tickets, changes, signal }: TicketOpenerOptions): Promise<void> {
  while (!signal.aborted) {
    for (const alarm of waiting()) {
      if (signal.aborted) return;
      try {
        await tickets.open({ alarm }, { idempotencyKey: keyOf(alarm), signal });
        store.settle(alarm);
      } catch {
        // It stays in the store; the next round tries again. The failure itself is counted where calls are.
        break;
      }
    }
    await changes.wait(sweepMs, signal);
  }

  function waiting(): Alarm[] {
    try {
      return store.waitingAlarms(owner, Date.now() - orphanedMs);
    } catch {
      return [];
    }
  }
}

/** The same key for the same alarm, whoever opens its ticket. */
function keyOf(alarm: Alarm): string {
  return `ticket for ${alarm.id}`;
}
