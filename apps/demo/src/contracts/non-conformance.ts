import { array, date, enumeration, type Infer, optional, service, string, struct, u8, uint, unary } from "pipit";
import { Alarm } from "./charts.ts";

export const TicketState = enumeration(["open", "assigned", "closed"]);
export type TicketState = Infer<typeof TicketState>;

/** A non-conformance report: somebody has to look at the process. */
export const Ticket = struct({
  /** Counts tickets from 1. */
  number: uint,
  state: TicketState,
  alarmId: string,
  characteristic: string,
  station: string,
  rule: u8,
  description: string,
  openedAt: date,
  assignee: optional(string),
  closedAt: optional(date),
  resolution: optional(string),
});
export type Ticket = Infer<typeof Ticket>;

const notFound = struct({ number: uint });
const alreadyClosed = struct({ number: uint });

/**
 * Tickets, one per alarm. What changes something is a `once` call: its reply is kept in the transaction that makes the
 * change, in a database that all instances share, so that it may be sent again to any of them and still happens once.
 */
export const NonConformance = service("demo.NonConformance", {
  /** Opens the ticket of an alarm, or finds the one that it has. */
  open: unary(struct({ alarm: Alarm }), Ticket, { idempotency: "once" }),
  assign: unary(struct({ number: uint, assignee: string }), Ticket, {
    idempotency: "once",
    errors: { notFound, alreadyClosed },
  }),
  close: unary(struct({ number: uint, resolution: string }), Ticket, {
    idempotency: "once",
    errors: { notFound, alreadyClosed },
  }),
  /** The latest tickets first; `limit` defaults to 50, at most 500. */
  list: unary(
    struct({ state: optional(TicketState), limit: optional(uint) }),
    struct({ tickets: array(Ticket), counts: struct({ open: uint, assigned: uint, closed: uint }) }),
    { idempotency: "safe" },
  ),
});
