// `npm run fuzz [-- --seconds 60] [-- --seed N] [-- --only NAME]` shares the time among the targets, `packages/*/fuzz/*.ts`.
//
// A target exports `round(random)`, which makes one hostile input from the seeded generator and throws when a law is
// broken. Rounds have seeds that count up, so the seed printed with a finding repeats it in the first round.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "@pipit/simulation";
import { filesUnder, root } from "./support/repository.ts";

interface FuzzTarget {
  readonly round: (random: ReturnType<typeof seededRandom>) => unknown;
}

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" }, only: { type: "string" } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new RangeError(`Cannot fuzz for "${values.seconds}" seconds: wanted a number above 0`);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);

const targets = await loadTargets();
if (targets.length === 0) {
  console.error(`No fuzz target ${values.only === undefined ? "exists" : `has "${values.only}" in its path`}`);
  process.exit(1);
}
console.log(`seed ${firstSeed}, ${seconds} s for ${targets.length} targets`);
for (const [path, target] of targets) await fuzz(path, target, (seconds * 1000) / targets.length);

/** Rounds until the time is over or one throws. */
async function fuzz(path: string, target: FuzzTarget, budgetMs: number): Promise<void> {
  const endMs = performance.now() + budgetMs;
  let seed = firstSeed;
  do {
    try {
      await target.round(seededRandom(seed));
    } catch (error) {
      console.error(error);
      console.log(`not ok ${path}: repeat by npm run fuzz -- --only ${path} --seconds 1 --seed ${seed}`);
      process.exitCode = 1;
      return;
    }
    seed += 1;
  } while (performance.now() < endMs);
  console.log(`ok     ${path}: ${seed - firstSeed} rounds`);
}

async function loadTargets(): Promise<[path: string, target: FuzzTarget][]> {
  const paths = filesUnder("packages").filter((path) => /^packages\/[^/]+\/fuzz\/[^/]+\.ts$/.test(path));
  const wanted = paths.filter((path) => values.only === undefined || path.includes(values.only));
  return Promise.all(
    wanted.map(async (path): Promise<[string, FuzzTarget]> => {
      const module = (await import(pathToFileURL(join(root, path)).href)) as Partial<FuzzTarget>;
      if (module.round === undefined) throw new Error(`${path} is no fuzz target: wanted an exported function "round"`);
      return [path, { round: module.round }];
    }),
  );
}
