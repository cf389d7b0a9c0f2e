// `npm run bench -- codec [--quick] [--only tiny,users] [--mixed | --interpreter | --any] [--floors]`: Pipit's codec beside its peers.
//
// Each data set is measured in a process of its own, all codecs in that one process, in turns. Ratios are to the fastest
// peer of the row in any of its modes, shared records and native add-ons included; after them stands the goal. `--floors` shows
// what hand-written code for one value reaches, for the rows whose goals are short, alone or among many types (`--mixed`), or, with
// `--interpreter`, the least interpreter.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dataSets } from "./codec/data-sets.ts";
import { floorNames, floors } from "./codec/floors.ts";
import { anyGoal, goals, interpreterGoal, mixedLoss, objectSets } from "./codec/goals.ts";
import { pipitName } from "./codec/pipit.ts";
import type { RowAnswer, RowRequest, RowResult } from "./codec/row.ts";
import { roomyHeap } from "./support/heap.ts";
import { machineLine } from "./support/machine.ts";
import { startPinned } from "./support/pinned-process.ts";
import { median } from "./support/statistics.ts";
import { printTable, short } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    mixed: { type: "boolean", default: false },
    interpreter: { type: "boolean", default: false },
    any: { type: "boolean", default: false },
    floors: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    only: { type: "string" },
  },
});
const only = values.only?.split(",");
const pace = values.quick
  ? { sampleMs: 4, rounds: 5, warmUpRounds: 15 }
  : { sampleMs: 20, rounds: 11, warmUpRounds: 12 };
/**
 * Makes glibc keep what is freed. It gives memory back by a rule that depends on all that the process did before, and whoever comes
 * next then waits for pages: the same codec took 9 µs for a list in one run and 17 in the next.
 */
const keptMemory = { MALLOC_TRIM_THRESHOLD_: "268435456", MALLOC_MMAP_THRESHOLD_: "33554432" };
/**
 * Flags for memory as any process has it that has worked for a while: a nursery of its full size, and a heap that V8 need not mark. What
 * other types did to the heap would decide the rows of long text and lists otherwise: 10,000 `f64` take 9 µs or 27 in a fresh process.
 */
const grownHeap = ["--min-semi-space-size=16", ...roomyHeap];
const wanted = dataSets.filter(
  ({ name }) => only?.includes(name) !== false && (!values.floors || values.interpreter || name in floors),
);
if (wanted.length === 0) {
  console.error(`No data set is called "${values.only}": there are ${dataSets.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

console.log(`${machineLine()}\n`);
if (values.mixed) await mixed();
else if (values.interpreter) await interpreter();
else if (values.any) await withoutSchema();
else if (values.floors) await againstFloors();
else await compiled();

async function compiled(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, title } of wanted) {
    const { ours, peers } = await row({ dataSet: name, pipit: "compiled", mixed: false, pace });
    const goal = goals[name];
    if (goal === undefined) throw new Error(`No goal for ${name}`);
    const encode = fastest(peers, "encodePerSecond");
    const decode = fastest(peers, "decodePerSecond", goal.decodePeers);
    const smallest = peers.reduce((least, peer) => (peer.bytes < least.bytes ? peer : least));
    const bytes = goal.bytesAbsolute === true ? ours.bytes : ours.bytes / smallest.bytes;
    rows.push([
      title,
      short(ours.encodePerSecond),
      atLeast(ours.encodePerSecond / encode.encodePerSecond, goal.encode),
      encode.name,
      short(ours.decodePerSecond),
      atLeast(ours.decodePerSecond / decode.decodePerSecond, goal.decode),
      decode.name,
      String(ours.bytes),
      `${bytes.toFixed(goal.bytesAbsolute === true ? 0 : 2)} ≤ ${goal.bytes}${bytes <= goal.bytes + 0.005 ? "" : " ✗"}`,
      smallest.name,
    ]);
  }
  printTable(
    [
      "data set",
      "encode/s",
      "ratio ≥ goal",
      "fastest peer",
      "decode/s",
      "ratio ≥ goal",
      "fastest peer",
      "bytes",
      "≤ goal",
      "smallest peer",
    ],
    rows,
  );
}

/** Whether a goal that is short can be met: the ratios of the least code for just that value, with and without its checks. */
async function againstFloors(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, title } of wanted) {
    const { ours, peers: all } = await row({ dataSet: name, pipit: "compiled", mixed: false, floors: true, pace });
    const peers = all.filter(({ name: peer }) => !isFloor(peer));
    for (const what of ["encode", "decode"] as const) {
      const floor = floors[name]?.[what];
      const goal = goals[name]?.[what];
      if (floor === undefined || goal === undefined) continue;
      const rate = `${what}PerSecond` as const;
      const peer = fastest(peers, rate, what === "decode" ? goals[name]?.decodePeers : undefined);
      const ratio = (kind: keyof typeof floorNames): number => {
        const one = floor[kind] && all.find(({ name: other }) => other === floorNames[kind]);
        return one === undefined ? Number.NaN : one[rate] / peer[rate];
      };
      const [pipit, checked, unchecked] = [ours[rate] / peer[rate], ratio("checked"), ratio("unchecked")];
      const verdict = pipit >= goal ? "reached" : checked < goal ? "goal above the floor" : "room left";
      rows.push([
        `${title}, ${what}`,
        goal.toFixed(2),
        ...[pipit, checked, unchecked].map((one) => (Number.isNaN(one) ? "–" : one.toFixed(2))),
        peer.name,
        verdict,
      ]);
    }
  }
  console.log("Ratios to the fastest peer. Floors are written by hand for one value, and know it.\n");
  printTable(["data set", "goal", "pipit", "floor", "unchecked", "fastest peer", "verdict"], rows);
}

/** The same rows in a process that used every other type before, against a process that did not. */
async function mixed(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, title } of wanted) {
    const alone: RowResult[][] = [];
    const among: RowResult[][] = [];
    for (let turn = 0; turn < 5; turn++) {
      const request = { dataSet: name, pipit: "compiled", peers: [], floors: values.floors, pace } as const;
      alone.push(await results({ ...request, mixed: false }, grownHeap));
      among.push(await results({ ...request, mixed: true }, grownHeap));
    }
    const loss = (what: "encode" | "decode", of: string): string => {
      if (of !== pipitName && floors[name]?.[what] === undefined) return "–";
      const middle = (turns: readonly RowResult[][]): number =>
        median(turns.map((turn) => turn.find((one) => one.name === of)?.[`${what}PerSecond`] ?? Number.NaN));
      const lost = 1 - middle(among) / middle(alone);
      return `${(100 * lost).toFixed(0)} %${of !== pipitName || lost <= mixedLoss ? "" : " ✗"}`;
    };
    const whose = values.floors ? [pipitName, floorNames.checked] : [pipitName];
    rows.push([title, ...whose.flatMap((of) => [loss("encode", of), loss("decode", of)])]);
  }
  console.log(`Lost among many types; the goal is at most ${mixedLoss * 100} %.\n`);
  printTable(["data set", "encode", "decode", ...(values.floors ? ["floor, encode", "floor, decode"] : [])], rows);
}

async function results(request: RowRequest, nodeFlags: readonly string[]): Promise<RowResult[]> {
  const { ours, peers } = await row(request, nodeFlags);
  return [ours, ...peers];
}

function isFloor(name: string): boolean {
  return name === floorNames.checked || name === floorNames.unchecked;
}

async function interpreter(): Promise<void> {
  const { peer, ratio } = interpreterGoal;
  const rows: string[][] = [];
  for (const { name, title } of wanted.filter((one) => objectSets.includes(one.name))) {
    const request = {
      dataSet: name,
      pipit: "interpreted",
      peers: [peer],
      mixed: false,
      floors: values.floors,
      pace,
    } as const;
    const { ours, peers } = await row(request);
    const other = fastest(peers, "encodePerSecond", [peer]);
    const floor = peers.find((one) => isFloor(one.name));
    rows.push([
      title,
      short(ours.encodePerSecond),
      atLeast(ours.encodePerSecond / other.encodePerSecond, ratio),
      short(ours.decodePerSecond),
      atLeast(ours.decodePerSecond / other.decodePerSecond, ratio),
      ...(values.floors
        ? [floor === undefined ? "–" : (floor.decodePerSecond / other.decodePerSecond).toFixed(2)]
        : []),
    ]);
  }
  console.log(`No generated code; ratios to ${peer}, which generates some.\n`);
  const columns = ["data set", "encode/s", "ratio ≥ goal", "decode/s", "ratio ≥ goal"];
  printTable([...columns, ...(values.floors ? ["floor, decode"] : [])], rows);
}

async function withoutSchema(): Promise<void> {
  const selfContained = ["JSON", "cbor-x", "msgpackr", "msgpackr in-band records"];
  const rows: string[][] = [];
  for (const { name, title } of wanted) {
    const { ours, peers } = await row({ dataSet: name, pipit: "any", peers: selfContained, mixed: false, pace });
    const goal = objectSets.includes(name) ? anyGoal.onObjects : anyGoal.elsewhere;
    const against = (peer: string, what: "encodePerSecond" | "decodePerSecond", least?: number): string => {
      const other = peers.find((one) => one.name === peer);
      if (other === undefined) return "–";
      return least === undefined ? (ours[what] / other[what]).toFixed(2) : atLeast(ours[what] / other[what], least);
    };
    const columns = (["encodePerSecond", "decodePerSecond"] as const).flatMap((what) => [
      short(ours[what]),
      against(anyGoal.peer, what, goal),
      against("JSON", what, anyGoal.json),
      against("msgpackr in-band records", what),
    ]);
    rows.push([title, ...columns, String(ours.bytes)]);
  }
  const peers = [`to ${anyGoal.peer}`, "to JSON", "to msgpackr in-band"];
  console.log("CBOR: every message stands alone.\n");
  printTable(["data set", "encode/s", ...peers, "decode/s", ...peers, "bytes"], rows);
}

/** Runs one row in a process of its own. */
async function row(
  request: RowRequest,
  nodeFlags: readonly string[] = [],
): Promise<{ ours: RowResult; peers: RowResult[] }> {
  const file = fileURLToPath(new URL("./codec/row.ts", import.meta.url));
  const child = startPinned(file, [JSON.stringify(request)], { env: keptMemory, nodeFlags });
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${request.dataSet} ended with code ${code}`))),
  ])) as [RowAnswer];
  const ours = answer.results.find(({ name }) => name === pipitName);
  if (ours === undefined) throw new Error(`No result of Pipit for ${request.dataSet}`);
  if (values.verbose) {
    console.log(request.dataSet);
    for (const { name, encodePerSecond, decodePerSecond, bytes } of answer.results) {
      console.log(
        `  ${name.padEnd(26)} ${short(encodePerSecond).padStart(8)} ${short(decodePerSecond).padStart(8)} ${bytes}`,
      );
    }
    for (const reason of answer.left) console.log(`  left out: ${reason}`);
  }
  return { ours, peers: answer.results.filter((one) => one !== ours) };
}

function fastest(
  peers: readonly RowResult[],
  what: "encodePerSecond" | "decodePerSecond",
  names?: readonly string[],
): RowResult {
  const some = peers.filter(({ name }) => names?.includes(name) !== false);
  return some.reduce((best, peer) => (peer[what] > best[what] ? peer : best));
}

/** The ratio beside its goal, marked when it falls short. */
function atLeast(ratio: number, goal: number): string {
  return `${ratio.toFixed(2)} ≥ ${goal.toFixed(1)}${ratio >= goal ? "" : " ✗"}`;
}
