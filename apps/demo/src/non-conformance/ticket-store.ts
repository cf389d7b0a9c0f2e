import { array, type Infer } from "pipit";
import { Ticket, type TicketState } from "../contracts/index.ts";
import { type Database, transaction } from "../storage/database.ts";

export const ticketSchema = `
CREATE TABLE IF NOT EXISTS ticket (
  number INTEGER PRIMARY KEY, alarm TEXT NOT NULL UNIQUE, state TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ticket_state ON ticket (state, number);
CREATE TABLE IF NOT EXISTS next_ticket (number INTEGER NOT NULL);
INSERT INTO next_ticket SELECT 1 WHERE NOT EXISTS (SELECT * FROM next_ticket);
`;

const Tickets = array(Ticket);

/** Tickets in the database that all instances share. What writes is to be called inside a transaction. */
export class TicketStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A number that no other ticket has. A crash between this and the ticket leaves a gap, which harms nobody. */
  takeNumber(): number {
    return transaction(this.#database, () => {
      const [row] = this.#all<{ number: number }>("SELECT number FROM next_ticket");
      this.#database.prepare("UPDATE next_ticket SET number = number + 1").run();
      return row?.number ?? 1;
    });
  }

  get(number: number): Ticket | undefined {
    return this.#first("SELECT body FROM ticket WHERE number = ?", number);
  }

  ofAlarm(alarmId: string): Ticket | undefined {
    return this.#first("SELECT body FROM ticket WHERE alarm = ?", alarmId);
  }

  /** The latest first. */
  list(state: TicketState | undefined, limit: number): Infer<typeof Tickets> {
    const rows =
      state === undefined
        ? this.#all<{ body: Uint8Array }>("SELECT body FROM ticket ORDER BY number DESC LIMIT ?", limit)
        : this.#all<{ body: Uint8Array }>(
            "SELECT body FROM ticket WHERE state = ? ORDER BY number DESC LIMIT ?",
            state,
            limit,
          );
    return rows.map(({ body }) => Ticket.decode(body));
  }

  counts(): Record<TicketState, number> {
    const counts = { open: 0, assigned: 0, closed: 0 };
    for (const { state, count } of this.#all<{ state: TicketState; count: number }>(
      "SELECT state, count(*) AS count FROM ticket GROUP BY state",
    )) {
      counts[state] = count;
    }
    return counts;
  }

  /** @returns false when the alarm has a ticket already */
  insert(ticket: Ticket): boolean {
    const { number, alarmId, state } = ticket;
    const { changes } = this.#database
      .prepare("INSERT INTO ticket VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .run(number, alarmId, state, Ticket.encode(ticket));
    return changes === 1;
  }

  /**
   * Compares and swaps: a codec's bytes are a function of the value, so equal bytes are an unchanged ticket.
   *
   * @returns false when the ticket is no longer what it was
   */
  replace(was: Ticket, becomes: Ticket): boolean {
    const { changes } = this.#database
      .prepare("UPDATE ticket SET state = ?, body = ? WHERE number = ? AND body = ?")
      .run(becomes.state, Ticket.encode(becomes), was.number, Ticket.encode(was));
    return changes === 1;
  }

  #first(sql: string, value: string | number): Ticket | undefined {
    const [row] = this.#all<{ body: Uint8Array }>(sql, value);
    return row === undefined ? undefined : Ticket.decode(row.body);
  }

  #all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }
}
