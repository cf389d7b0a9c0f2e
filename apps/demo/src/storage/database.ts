import type { DatabaseSync } from "@photostructure/sqlite";
import { RpcError } from "pipit";

/** The part of SQLite that the stores use: the same in `node:sqlite` and in the package that has its API. */
export type Database = Pick<InstanceType<typeof DatabaseSync>, "exec" | "prepare" | "close">;

/**
 * How long a statement waits for another process's transaction, in milliseconds. It waits in the event loop's own thread, so
 * briefly; transactions here take a tenth of one. Longer than this, the other process stands still.
 */
const busyMs = 250;

/** Older Nodes have no such module, and neither have the types this is checked with. */
const nodeSqlite: string = "node:sqlite";

/** Several processes create the tables at the same moment, once. */
const openAttempts = 40;

/** SQLite's result codes for a lock that another process holds. */
const lockedCodes = new Set([5, 6]);

/** `node:sqlite` where Node has it (from 22.13), else a package with its binaries inside. */
async function loadSqlite(): Promise<{ readonly DatabaseSync: new (path: string, options: object) => Database }> {
  try {
    return (await import(nodeSqlite)) as { readonly DatabaseSync: typeof DatabaseSync };
  } catch {
    return import("@photostructure/sqlite");
  }
}

/** Opens a database that several processes share, and makes its tables if they are not there. */
export async function openDatabase(path: string, schema: string): Promise<Database> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(path, { timeout: busyMs });
  for (let attempt = 1; ; attempt++) {
    try {
      // A write-ahead log lets readers read while one writes. NORMAL syncs it now and then: a killed process loses nothing,
      // since what it wrote is the kernel's; a machine that loses power may lose the last moments. For that, FULL.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      database.exec(schema);
      return database;
    } catch (error) {
      if (!isLocked(error) || attempt === openAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/**
 * Runs `work` as one transaction that sees and changes the database alone: all of it happens, or nothing. `work` is
 * synchronous, so that no transaction stays open over a turn of the event loop: a process frozen there would hold up all others.
 *
 * @throws RpcError `unavailable` when another process holds the database too long; nothing has changed then
 */
export function transaction<T>(database: Database, work: () => T): T {
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    if (!isLocked(error)) throw error;
    throw new RpcError("unavailable", `The database was held by another process for ${busyMs} ms`, { cause: error });
  }
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function isLocked(error: unknown): boolean {
  return lockedCodes.has(((error as { readonly errcode?: number }).errcode ?? 0) & 0xff);
}
