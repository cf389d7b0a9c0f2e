import { runProcess } from "../processes/run-process.ts";
import { makeUserCalls } from "./user-calls.ts";

/* The people: a process that only calls. What its calls come to stands in its `demo.Process` stats. */

await runProcess(({ client }) => {
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  return {
    serve() {},
    start() {
      working = makeUserCalls(client, stopping.signal).catch((error: unknown) => {
        if (!stopping.signal.aborted) console.error("The operators cannot work:", error);
      });
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
});
