import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient, createServer, type PipitClient, RpcError, type Server } from "pipit";
import { memory } from "pipit/testing";
import { type Alarm, NonConformance } from "../contracts/index.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { handleNonConformance } from "./handlers.ts";
import { replySchema, SharedReplyStore } from "./shared-reply-store.ts";
import { TicketStore, ticketSchema } from "./ticket-store.ts";

/*
 * Tickets over the true stack in one process, on a database that can be made to "crash" at any statement: from there on nothing
 * is executed, as when a process is killed.
 */

const alarm: Alarm = {
  id: "width/location/rule-1/point-7",
  characteristic: "width",
  chart: "location",
  rule: 1,
  point: 7,
  value: 3,
  station: "a",
  sequence: 35,
  time: new Date(0),
  description: "one point beyond three sigma",
};

class Crash extends Error {}

/** The database, until `statementsLeft` have been executed. */
function mortal(database: Database, statementsLeft: number): Database & { readonly crashed: boolean } {
  let left = statementsLeft;
  let crashed = false;
  const live = (): void => {
    if (left-- > 0) return;
    crashed = true;
    throw new Crash("killed");
  };
  return {
    get crashed() {
      return crashed;
    },
    close: () => database.close(),
    exec(sql) {
      live();
      database.exec(sql);
    },
    prepare(sql) {
      const statement = database.prepare(sql);
      return new Proxy(statement, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (...values: unknown[]): unknown => {
            live();
            return (value as (...given: unknown[]) => unknown).apply(target, values);
          };
        },
      });
    },
  };
}

interface Instance {
  readonly client: PipitClient;
  readonly server: Server;
  readonly store: TicketStore;
  close(): Promise<void>;
}

async function start(database: Database): Promise<Instance> {
  const store = new TicketStore(database);
  const server = createServer({ replyStore: new SharedReplyStore(database, () => 0), onError() {} });
  server.handle(
    NonConformance,
    handleNonConformance(store, () => new Date(0)),
  );
  const link = memory();
  await server.listen({ transport: link });
  const client = createClient({ target: link.address, transport: link, retry: { sharedReplyStore: true } });
  return {
    client,
    server,
    store,
    async close() {
      await client.close({ graceMs: 0 });
      await server.close({ graceMs: 0 });
    },
  };
}

async function inFolder(use: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pipit-demo-test-"));
  try {
    await use(join(folder, "tickets.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const open = (path: string): Promise<Database> => openDatabase(path, ticketSchema + replySchema);

test("killed at any statement, a ticket is opened once and its reply is known to the next instance", async () => {
  let crashes = 0;
  for (let statements = 0; ; statements++) {
    let crashed = true;
    await inFolder(async (path) => {
      const file = await open(path);
      const database = mortal(file, statements);
      const first = await start(database);
      const options = { idempotencyKey: "k".repeat(32) };
      const reply = await first.client.call(NonConformance.methods.open, { alarm }, options).catch(() => undefined);
      crashed = database.crashed;
      await first.close();
      // A killed process's open transaction is as if it never was, which here takes a word.
      try {
        file.exec("ROLLBACK");
      } catch {
        // It had none open.
      }
      file.close();

      const again = await open(path);
      const second = await start(again);
      const ticket = await second.client.call(NonConformance.methods.open, { alarm }, options);
      if (reply !== undefined) assert.deepEqual(ticket, reply);
      assert.equal(second.store.counts().open, 1, `killed after ${statements} statements`);
      assert.equal(second.store.ofAlarm(alarm.id)?.number, ticket.number);
      await second.close();
      again.close();
    });
    if (!crashed) break;
    crashes++;
  }
  assert.ok(crashes >= 8, `only ${crashes} places to crash at`);
});

test("two instances that get the same call at once open one ticket and give one reply", async () => {
  await inFolder(async (path) => {
    const files = [await open(path), await open(path)];
    const instances = await Promise.all(files.map(start));
    const options = { idempotencyKey: "k".repeat(32) };
    const tickets = await Promise.all(
      instances.map(({ client }) => client.call(NonConformance.methods.open, { alarm }, options)),
    );
    assert.deepEqual(tickets[0], tickets[1]);
    assert.equal(instances[0]?.store.counts().open, 1);
    await Promise.all(instances.map((instance) => instance.close()));
    for (const file of files) file.close();
  });
});

test("an alarm has one ticket, whatever key it comes under, and a closed one is not opened again", async () => {
  await inFolder(async (path) => {
    const file = await open(path);
    const { client, store, close } = await start(file);
    const tickets = client.service(NonConformance);
    const { number } = await tickets.open({ alarm });
    await tickets.close({ number, resolution: "tool changed" });
    const known = await tickets.open({ alarm });
    assert.deepEqual([known.number, known.state, known.resolution], [number, "closed", "tool changed"]);
    assert.deepEqual(store.counts(), { open: 0, assigned: 0, closed: 1 });
    await close();
    file.close();
  });
});

test("what cannot be done is a declared error, kept like any reply", async () => {
  await inFolder(async (path) => {
    const file = await open(path);
    const { client, close } = await start(file);
    const tickets = client.service(NonConformance);
    const { number } = await tickets.open({ alarm });
    await tickets.close({ number, resolution: "sorted" });
    for (const [call, error] of [
      [tickets.assign({ number, assignee: "Ada" }, { idempotencyKey: "same" }), "alreadyClosed"],
      [tickets.assign({ number, assignee: "Ada" }, { idempotencyKey: "same" }), "alreadyClosed"],
      [tickets.close({ number: 99, resolution: "" }), "notFound"],
    ] as const) {
      await assert.rejects(call, (thrown: RpcError) => thrown.error === error);
    }
    await close();
    file.close();
  });
});

test("the same key with another request is refused", async () => {
  await inFolder(async (path) => {
    const file = await open(path);
    const { client, close } = await start(file);
    const tickets = client.service(NonConformance);
    await tickets.open({ alarm }, { idempotencyKey: "same" });
    await assert.rejects(
      tickets.open({ alarm: { ...alarm, id: "other" } }, { idempotencyKey: "same" }),
      (error: RpcError) => error.code === "invalid_argument",
    );
    await close();
    file.close();
  });
});

test("a call that was turned away for the moment is not answered with that for ever", async () => {
  await inFolder(async (path) => {
    const file = await open(path);
    const instance = await start(file);
    let refusals = 2;
    instance.server.use((request, next) => {
      if (refusals-- > 0) throw new RpcError("unavailable", "not now");
      return next(request);
    });
    const ticket = await instance.client.service(NonConformance).open({ alarm });
    assert.equal(ticket.alarmId, alarm.id);
    assert.deepEqual(instance.store.counts(), { open: 1, assigned: 0, closed: 0 });
    await instance.close();
    file.close();
  });
});

test("a ticket that changes under a call is looked at again, and neither change is lost", async () => {
  await inFolder(async (path) => {
    const file = await open(path);
    const { client, store, close } = await start(file);
    const tickets = client.service(NonConformance);
    const { number } = await tickets.open({ alarm });
    const ends = await Promise.allSettled([
      tickets.assign({ number, assignee: "Ada" }),
      tickets.close({ number, resolution: "sorted" }),
    ]);
    assert.equal(ends[1].status, "fulfilled");
    assert.equal(store.get(number)?.state, "closed");
    await close();
    file.close();
  });
});
