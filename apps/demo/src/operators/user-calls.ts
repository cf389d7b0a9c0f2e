import { setTimeout as sleep } from "node:timers/promises";
import type { PipitClient } from "pipit";
import { Inspection, NonConformance, type Ticket } from "../contracts/index.ts";
import { chartsOf } from "../processes/connect.ts";

/** Time between two parts that are looked up, in milliseconds. */
const lookupMs = 50;
/**
 * Values of a part, looked up at once: 200 a second in all, enough for steady shares. One by one they would meet idle servers only, and
 * all go to the quickest.
 */
const valuesOfPart = 10;
/** Time between two looks at a chart's capability. */
const capabilityMs = 500;
/** Time between two looks at the tickets; each time one is taken on and one is closed, twice what the line's alarms ask for. */
const ticketMs = 500;
/** Tickets that are left open, and left assigned, for whoever looks at the page. */
const leftOpen = 12;
const leftAssigned = 6;
/** Tickets looked at, the latest first. */
const listedTickets = 500;
/** Pieces of work under way before operators wait: people have two hands. */
const maxOpen = 100;

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

  await Promise.all([every(lookupMs, lookPartUp), every(capabilityMs, lookAtChart), every(ticketMs, workOnTicket)]);

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

  async function lookPartUp(): Promise<void> {
    await Promise.all(Array.from({ length: valuesOfPart }, lookUp));
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
    const [open, assigned] = await Promise.all(
      (["open", "assigned"] as const).map((state) => tickets.list({ state, limit: listedTickets }, { signal })),
    );
    const [toAssign, toClose] = [oldestBeyond(leftOpen, open?.tickets), oldestBeyond(leftAssigned, assigned?.tickets)];
    await Promise.all([
      toAssign && tickets.assign({ number: toAssign, assignee: names[toAssign % names.length] ?? "Ada" }, { signal }),
      toClose && tickets.close({ number: toClose, resolution: "Machine adjusted, parts sorted" }, { signal }),
    ]);
  }
}

/** Number of the oldest ticket, unless there are so few that they are left alone. */
function oldestBeyond(left: number, tickets: readonly Ticket[] = []): number | undefined {
  return tickets.length > left ? tickets.at(-1)?.number : undefined;
}

function nobody(): never {
  throw new Error("The control plan is empty");
}
