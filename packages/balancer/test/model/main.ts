// Prints the tables: `npm run simulate -w packages/balancer [-- SEEDS]`, 20 seeds unless told. Exits with 1 if a goal is missed.
import { goals } from "./goals.ts";

const seedCount = Number(process.argv[2] ?? 20);
const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);

console.log(`${seedCount} seeds; virtual time`);
for (const [name, goal] of Object.entries(goals)) {
  console.log(`\n### ${name}\n`);
  console.log("| | measured | goal | |");
  console.log("|---|---|---|---|");
  for (const { what, measured, bound, isMet } of goal({ seeds, endMs: 12_000, compares: true })) {
    if (!isMet) process.exitCode = 1;
    console.log(`| ${what} | ${measured} | ${bound} | ${bound === "" ? "" : isMet ? "met" : "MISSED"} |`);
  }
}
