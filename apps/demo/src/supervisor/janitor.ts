import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

/*
 * Ends processes whose parent is gone. They end by themselves when their pipe to it breaks, but a frozen one cannot, nor one that
 * hangs. The supervisor writes `+pid` and `-pid`; when its end of the pipe closes, however it died, what is left is killed, and the
 * folder in the first argument, with the databases, is removed.
 */

const [folder = ""] = process.argv.slice(2);

const pids = new Set<number>();
process.on("SIGINT", () => {}).on("SIGTERM", () => {});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith("+")) pids.add(pid);
    else pids.delete(pid);
  })
  .on("close", () => {
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    }
    if (folder !== "") rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
