import { type Implementation, RpcError } from "pipit";
import type { NonConformance, Ticket } from "../contracts/index.ts";
import type { TicketStore } from "./ticket-store.ts";
import { UnitOfWork } from "./unit-of-work.ts";

const defaultListed = 50;
const maxListed = 500;

/** Serves tickets from a store, of which there may be several in several processes on one database. */
export function handleNonConformance(store: TicketStore, now: () => Date): Implementation<typeof NonConformance> {
  return {
    open({ alarm }, { transaction }) {
      // Replies are forgotten after an hour, alarms are not: the alarm itself has the last word.
      const known = store.ofAlarm(alarm.id);
      if (known !== undefined) return known;
      const { id: alarmId, characteristic, station, rule, description } = alarm;
      const ticket: Ticket = {
        number: store.takeNumber(),
        state: "open",
        alarmId,
        characteristic,
        station,
        rule,
        description,
        openedAt: now(),
      };
      workOf(transaction).add(() => orAgain(store.insert(ticket)));
      return ticket;
    },

    assign({ number, assignee }, context) {
      const ticket = store.get(number);
      if (ticket === undefined) throw context.error("notFound", { number });
      if (ticket.state === "closed") throw context.error("alreadyClosed", { number });
      const assigned: Ticket = { ...ticket, state: "assigned", assignee };
      workOf(context.transaction).add(() => orAgain(store.replace(ticket, assigned)));
      return assigned;
    },

    close({ number, resolution }, context) {
      const ticket = store.get(number);
      if (ticket === undefined) throw context.error("notFound", { number });
      if (ticket.state === "closed") throw context.error("alreadyClosed", { number });
      const closed: Ticket = { ...ticket, state: "closed", resolution, closedAt: now() };
      workOf(context.transaction).add(() => orAgain(store.replace(ticket, closed)));
      return closed;
    },

    list: ({ state, limit = defaultListed }) => ({
      tickets: store.list(state, Math.min(limit, maxListed)),
      counts: store.counts(),
    }),
  };
}

function workOf(transaction: unknown): UnitOfWork {
  if (transaction instanceof UnitOfWork) return transaction;
  throw new TypeError("The server needs a SharedReplyStore as its replyStore");
}

/** What was read has changed before the commit: nothing happens, and the call, sent again, sees what is there now. */
function orAgain(done: boolean): void {
  if (!done) throw new RpcError("unavailable", "The ticket changed meanwhile");
}
