import { setTimeout as sleep } from "node:timers/promises";
import type { PipitClient } from "pipit";
import { Inspection, NonConformance } from "../contracts/index.ts";
import { chartsOf } from "../processes/connect.ts";

/** Time between two lookups, in milliseconds: 50 a second. */
const lookupMs = 20;
/** Time between two looks at a chart's capability. */
const capabilityMs = 500;
/** Time between two looks at the tickets; each time one is taken on or closed. */
const ticketMs = 400;
/** Calls open at a time before operators wait: people have two hands. */
const maxOpen = 200;

const names = ["Ada", "Grace", "Walter", "Kaoru"];

/**
 * People at work: they look values up, look at charts, take tickets on and close them. All calls are `safe` or `once`, so none
 * may fail while single instances do; whoever gave the client its interceptor counts them.
 */
export async function makeUserCalls(client: PipitClient, signal: AbortSignal): Promise<void> {
  const inspection = client.service(Inspection);
  const tickets = client.service(NonConformance);
  const charts = chartsOf(client);
  // Gossip tells of services one by one: nobody begins to work before all three have been heard of.
  const patient = { signal, waitForReady: true, timeoutMs: 60_000 };
  const [{ specifications }] = await Promise.all([
    inspection.plan({}, patient),
    tickets.list({ limit: 1 }, patient),
    charts.list({}, patient),
  ]);
  let open = 0;
  let turn = 0;

  await Promise.all([every(lookupMs, lookUp), every(capabilityMs, lookAtChart), every(ticketMs, workOnTicket)]);

  /** Does it at a steady pace, whether or not the last one is done: people do not come slower because a server is slow. */
  async function every(ms: number, work: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      if (open < maxOpen) {
        open++;
        // Failures are counted by the client's interceptor: here there is nothing to be done about one.
        void work().then(
          () => open--,
          () => open--,
        );
      }
      await sleep(ms, undefined, { signal }).catch(() => {});
    }
  }

  async function lookUp(): Promise<void> {
    const { characteristic, lower = 0, upper = lower + 1 } = specifications[turn++ % specifications.length] ?? nobody();
    await inspection.judge({ characteristic, value: lower + (upper - lower) * ((turn % 120) / 100) }, { signal });
  }

  async function lookAtChart(): Promise<void> {
    const { characteristic } = specifications[turn++ % specifications.length] ?? nobody();
    await charts.capability({ characteristic }, { signal, hashKey: characteristic });
  }

  async function workOnTicket(): Promise<void> {
    const { tickets: listed, counts } = await tickets.list({ limit: 100 }, { signal });
    // Leaves some of each to be seen: takes the oldest on, and closes when there are many on hand.
    const oldest = listed.findLast(({ state }) => state === (counts.assigned > 6 ? "assigned" : "open"));
    if (oldest === undefined) return;
    const { number, state } = oldest;
    if (state === "open") await tickets.assign({ number, assignee: names[number % names.length] ?? "Ada" }, { signal });
    else await tickets.close({ number, resolution: "Machine adjusted, parts sorted" }, { signal });
  }
}

function nobody(): never {
  throw new Error("The control plan is empty");
}
