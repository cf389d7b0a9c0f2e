import { Alarm, ChartEvent, type Inspected } from "../contracts/index.ts";
import { type Database, openDatabase, transaction } from "../storage/database.ts";
import { type ChartHappening, ChartState, emptyChart, type SourceCount } from "./chart.ts";

/*
 * What all instances of the charts share: the state of each characteristic with its owner and version, the numbered events,
 * the measurements, and the alarms that wait for their ticket. One file here; in a plant, a database with copies.
 *
 * The version is the fence. Taking a characteristic over raises it, and a commit names the version it was made under: one
 * that comes from an owner of before changes nothing. So whatever an instance believes that was frozen, slow or cut off
 * from the others, no measurement is recorded twice and no alarm is given by two.
 */

/** Measurements kept per characteristic: enough for capability and a report's histogram. */
const keptMeasurements = 20_000;

const schema = `
CREATE TABLE IF NOT EXISTS chart (
  characteristic TEXT PRIMARY KEY, owner TEXT NOT NULL, version INTEGER NOT NULL, last_event INTEGER NOT NULL, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS event (
  characteristic TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (characteristic, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS measurement (
  id INTEGER PRIMARY KEY, characteristic TEXT NOT NULL, station TEXT NOT NULL, sequence INTEGER NOT NULL, value REAL NOT NULL,
  UNIQUE (characteristic, station, sequence));
CREATE TABLE IF NOT EXISTS waiting_alarm (
  alarm TEXT PRIMARY KEY, characteristic TEXT NOT NULL, since_ms INTEGER NOT NULL, body BLOB NOT NULL);
`;

/** A characteristic, as its owner holds it. */
export interface HeldChart {
  readonly version: number;
  readonly state: ChartState;
}

/** One row of {@link ChartStore.list}. */
export interface ChartRow {
  readonly characteristic: string;
  readonly owner: string;
  readonly version: number;
  readonly lastEvent: number;
  readonly state: ChartState;
}

/** What an owner wants to have kept. */
export interface ChartCommit extends HeldChart {
  readonly characteristic: string;
  readonly measurements: readonly Inspected[];
  readonly happenings: readonly ChartHappening[];
  readonly time: Date;
}

interface ChartColumns {
  readonly characteristic: string;
  readonly owner: string;
  readonly version: number;
  readonly last_event: number;
  readonly state: Uint8Array;
}

/** The shared store of the charts. */
export class ChartStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open(path: string): Promise<ChartStore> {
    return new ChartStore(await openDatabase(path, schema));
  }

  /** Makes `owner` the owner under a new version, whoever it was before, and gives it the state to go on from. */
  takeOver(characteristic: string, owner: string, time: Date): HeldChart {
    return transaction(this.#database, () => {
      const row = this.#row(characteristic);
      const version = (row?.version ?? 0) + 1;
      const lastEvent = row?.lastEvent ?? 0;
      const state = row?.state ?? emptyChart();
      this.#append(characteristic, lastEvent + 1, { type: "owner", value: { owner, version, time } });
      this.#database
        .prepare(
          `INSERT INTO chart VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (characteristic) DO UPDATE SET owner = excluded.owner, version = excluded.version, last_event = excluded.last_event`,
        )
        .run(characteristic, owner, version, lastEvent + 1, ChartState.encode(state));
      return { version, state };
    });
  }

  /** Keeps all of it, or, when another owner has taken over, nothing: then it answers false. */
  commit({ characteristic, version, state, measurements, happenings, time }: ChartCommit): boolean {
    return transaction(this.#database, () => {
      const row = this.#row(characteristic);
      if (row?.version !== version) return false;
      const insert = this.#database.prepare(
        "INSERT INTO measurement (characteristic, station, sequence, value) VALUES (?, ?, ?, ?)",
      );
      for (const { station, sequence, value } of measurements) insert.run(characteristic, station, sequence, value);
      let number = row.lastEvent;
      for (const happening of happenings) {
        this.#append(characteristic, ++number, happening);
        if (happening.type !== "alarm") continue;
        this.#database
          .prepare("INSERT INTO waiting_alarm VALUES (?, ?, ?, ?)")
          .run(happening.value.id, characteristic, time.getTime(), Alarm.encode(happening.value));
      }
      this.#database
        .prepare("UPDATE chart SET state = ?, last_event = ? WHERE characteristic = ?")
        .run(ChartState.encode(state), number, characteristic);
      return true;
    });
  }

  /** At most `limit` events after number `after`, in order. */
  events(characteristic: string, after: number, limit: number): ChartEvent[] {
    return this.#all<{ body: Uint8Array }>(
      "SELECT body FROM event WHERE characteristic = ? AND number > ? ORDER BY number LIMIT ?",
      characteristic,
      after,
      limit,
    ).map(({ body }) => ChartEvent.decode(body));
  }

  list(): ChartRow[] {
    return this.#all<ChartColumns>("SELECT * FROM chart ORDER BY characteristic").map(readRow);
  }

  sources(): (SourceCount & { readonly station: string; readonly characteristic: string })[] {
    return this.list().flatMap(({ characteristic, state }) =>
      Object.entries(state.sources).map(([station, count]) => ({ station, characteristic, ...count })),
    );
  }

  /** The latest values of a characteristic, oldest first. */
  latestValues(characteristic: string, count: number): number[] {
    return this.#all<{ value: number }>(
      "SELECT value FROM measurement WHERE characteristic = ? ORDER BY id DESC LIMIT ?",
      characteristic,
      count,
    )
      .map(({ value }) => value)
      .reverse();
  }

  /** Alarms without a ticket: those of `owner`'s characteristics, and those that have waited since before `beforeMs`. */
  waitingAlarms(owner: string, beforeMs: number): Alarm[] {
    return this.#all<{ body: Uint8Array }>(
      `SELECT body FROM waiting_alarm JOIN chart USING (characteristic) WHERE owner = ? OR since_ms < ? ORDER BY since_ms LIMIT 100`,
      owner,
      beforeMs,
    ).map(({ body }) => Alarm.decode(body));
  }

  /** The alarm has its ticket. */
  settle(alarm: Alarm): void {
    transaction(this.#database, () =>
      this.#database.prepare("DELETE FROM waiting_alarm WHERE alarm = ?").run(alarm.id),
    );
  }

  /** Drops measurements that nothing asks for any more. */
  prune(characteristic: string): void {
    transaction(this.#database, () =>
      this.#database
        .prepare(
          `DELETE FROM measurement WHERE characteristic = ?1 AND id <
             (SELECT min(id) FROM (SELECT id FROM measurement WHERE characteristic = ?1 ORDER BY id DESC LIMIT ?2))`,
        )
        .run(characteristic, keptMeasurements),
    );
  }

  close(): void {
    this.#database.close();
  }

  #append(characteristic: string, number: number, event: ChartEvent["event"]): void {
    this.#database
      .prepare("INSERT INTO event VALUES (?, ?, ?)")
      .run(characteristic, number, ChartEvent.encode({ number, event }));
  }

  #row(characteristic: string): ChartRow | undefined {
    const [row] = this.#all<ChartColumns>("SELECT * FROM chart WHERE characteristic = ?", characteristic);
    return row === undefined ? undefined : readRow(row);
  }

  #all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }
}

function readRow({ characteristic, owner, version, last_event, state }: ChartColumns): ChartRow {
  return { characteristic, owner, version, lastEvent: last_event, state: ChartState.decode(state) };
}
