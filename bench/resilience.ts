import { parseArgs } from "node:util";
import { Barracks } from "./resilience/fleet.ts";
import { type Policy, type Result, scenarios } from "./resilience/scenarios.ts";
import { machineLine } from "./support/machine.ts";
import { printTable } from "./support/table.ts";

/*
 * What users see while servers misbehave: ten server processes on loopback, a client here, and controls beside it, of
 * which one goes round robin and one, where that matters, sends nothing again. Service time is a timer, so that the load, 600 calls/s, is far below what
 * the servers can do. Ends with 1 when a call failed where none may.
 */

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string", default: "" } },
});
const pace = values.quick ? 0.4 : 1;
const chosen = Object.entries(scenarios).filter(([name]) => values.only === "" || name === values.only);
if (chosen.length === 0) {
  console.error(`No scenario is called "${values.only}": there are ${Object.keys(scenarios).join(", ")}`);
  process.exit(2);
}

console.log(machineLine());
const barracks = new Barracks();
const rows: string[][] = [];
let failed = false;
for (const [name, scenario] of chosen) {
  const run = async (policy: Policy): Promise<Result> => {
    await barracks.fill(scenario.processes);
    const result = await scenario.run({ barracks, policy, pace });
    console.log(`- ${name}, ${policy}: ${result.measured}. ${result.detail}`);
    failed ||= scenario.zeroFailures === true && policy !== "noRetries" && !result.isMet;
    return result;
  };
  const ours = await run("default");
  const control = await run("roundRobin");
  const bare = scenario.retries === true ? await run("noRetries") : undefined;
  const verdict = scenario.goal === "none set" ? "" : ours.isMet ? "met" : "NOT met";
  rows.push([scenario.title, ours.measured, scenario.goal, verdict, control.measured, bare?.measured ?? ""]);
}
await barracks.close();
console.log();
printTable(["scenario", "measured", "goal", "", "round robin", "retries off"], rows);
process.exitCode = failed ? 1 : 0;
