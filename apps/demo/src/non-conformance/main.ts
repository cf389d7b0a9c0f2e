import { join } from "node:path";
import { NonConformance } from "../contracts/index.ts";
import { runProcess } from "../processes/run-process.ts";
import { openDatabase } from "../storage/database.ts";
import { handleNonConformance } from "./handlers.ts";
import { replySchema, SharedReplyStore } from "./shared-reply-store.ts";
import { TicketStore, ticketSchema } from "./ticket-store.ts";

/* One instance of the tickets: `demo.NonConformance`. */

await runProcess(async ({ settings }) => {
  const database = await openDatabase(join(settings.dataDir, "tickets.db"), ticketSchema + replySchema);
  const handlers = handleNonConformance(new TicketStore(database), () => new Date());
  return {
    replyStore: new SharedReplyStore(database, Date.now),
    serve: (server) => server.handle(NonConformance, handlers),
    close: () => database.close(),
  };
});
