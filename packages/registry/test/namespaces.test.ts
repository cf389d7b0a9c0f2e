import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ProcessCluster } from "./process-cluster.ts";

const memberCount = 4;
/** Distinct from what else may run on the machine; interface names have at most 15 characters. */
const tag = `pt${process.pid % 100_000}`;

/** Four hosts on two switches: the last has a switch of its own, and one cable joins the two. */
const commands: readonly string[] = [
  `ip link add ${tag}a type bridge`,
  `ip link add ${tag}b type bridge`,
  `ip link add ${tag}x type veth peer name ${tag}y`,
  `ip link set ${tag}x master ${tag}a up`,
  `ip link set ${tag}y master ${tag}b up`,
  `ip link set ${tag}a up`,
  `ip link set ${tag}b up`,
  ...Array.from({ length: memberCount }, (_, index) => [
    `ip netns add ${tag}n${index}`,
    `ip link add ${tag}h${index} type veth peer name eth0 netns ${tag}n${index}`,
    `ip link set ${tag}h${index} master ${tag}${index === memberCount - 1 ? "b" : "a"} up`,
    `ip netns exec ${tag}n${index} ip addr add ${addressOf(index)}/24 dev eth0`,
    `ip netns exec ${tag}n${index} ip link set lo up`,
    `ip netns exec ${tag}n${index} ip link set eth0 up`,
  ]).flat(),
];

/** Drops 30 % of what goes to each host, so of each direction of each path. */
const lossCommands: readonly string[] = Array.from(
  { length: memberCount },
  (_, index) => `tc qdisc add dev ${tag}h${index} root netem loss 30%`,
);
const lossMs = 20_000;

const noHosts = obstacleTo(commands);
const noLoss = noHosts ?? obstacleTo([...commands, ...lossCommands]);
const timeout = 180_000;

test(
  "a cut cable between hosts shows the lost as gone to the many and stale to the one, and heals by itself",
  {
    timeout,
    skip: noHosts === undefined ? false : `NOT RUN, no network namespaces here: ${noHosts}`,
  },
  () =>
    withHosts(async (cluster) => {
      const seenBy = (id: string): string =>
        Object.entries(cluster.members.get(id)?.views.get("all") ?? {})
          .map(([other, state]) => `${other} ${state}`)
          .join();
      run(`ip link set ${tag}x down`);
      await cluster.until(() => seenBy("m0") === "m0 up,m1 up,m2 up", "the many see the one gone");
      await cluster.until(() => seenBy("m3") === "m0 stale,m1 stale,m2 stale,m3 up", "the one sees the many stale");
      run(`ip link set ${tag}x up`);
      await cluster.settled();
      assert.equal(seenBy("m3"), "m0 up,m1 up,m2 up,m3 up");
    }),
);

test(
  "30 % of all packets lost between hosts for 20 s kills nobody",
  {
    timeout,
    skip: noLoss === undefined ? false : `NOT RUN, no netem here: ${noLoss}`,
  },
  () =>
    withHosts(async (cluster) => {
      const lost = await cluster.lostDuring(async () => {
        for (const command of lossCommands) run(command);
        await setTimeout(lossMs);
      });
      assert.deepEqual(lost, []);
    }),
);

/** Runs `body` with a member on each of four hosts, all of which see each other. */
async function withHosts(body: (cluster: ProcessCluster) => Promise<void>): Promise<void> {
  const cluster = await ProcessCluster.create(["all"]);
  try {
    for (const command of commands) run(command);
    for (let index = 0; index < memberCount; index += 1) {
      await cluster.start(`m${index}`, "all", addressOf(index), ["ip", "netns", "exec", `${tag}n${index}`]);
    }
    await cluster.settled();
    await body(cluster);
  } finally {
    await cluster.close();
    removeHosts();
  }
}

function addressOf(index: number): string {
  return `10.77.0.${index + 1}`;
}

/** @returns why these cannot be run, or `undefined` when they can. Undoes them. */
function obstacleTo(wanted: readonly string[]): string | undefined {
  try {
    for (const command of wanted) run(command);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n").slice(0, 2).join(" ");
  } finally {
    removeHosts();
  }
}

function removeHosts(): void {
  const undo = [`a`, `b`, `x`].map((name) => `ip link del ${tag}${name}`);
  for (let index = 0; index < memberCount; index += 1) {
    undo.push(`ip link del ${tag}h${index}`, `ip netns del ${tag}n${index}`);
  }
  for (const command of undo) {
    try {
      run(command);
    } catch {
      // It was never there.
    }
  }
}

function run(command: string): void {
  const [file, ...rest] = command.split(" ") as [string, ...string[]];
  execFileSync(file, rest, { stdio: "pipe" });
}
