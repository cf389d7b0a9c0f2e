import { NonConformance } from "../contracts/index.ts";
import type { Follower } from "./follow-charts.ts";
import { repeat } from "./repeat.ts";
import { ticketOf } from "./to-page.ts";

/** How often the list is asked for. */
const lookMs = 1000;

/** The latest tickets that are watched for changes. */
const limit = 200;

/** Follows the list of tickets, and tells only what changed in it. */
export async function followTickets({ client, emit, signal }: Follower): Promise<void> {
  const tickets = client.service(NonConformance, { waitForReady: true });
  /** By number: the ticket as it was last told. */
  let told = new Map<number, string>();
  await repeat(lookMs, signal, async () => {
    const list = await tickets.list({ limit }, { signal });
    const all = list.tickets.map(ticketOf);
    const changed = all.filter((ticket) => told.get(ticket.number) !== JSON.stringify(ticket));
    told = new Map(all.map((ticket) => [ticket.number, JSON.stringify(ticket)]));
    if (changed.length > 0) emit({ type: "tickets", tickets: changed });
    emit({ type: "ticketCounts", counts: list.counts });
  });
}
