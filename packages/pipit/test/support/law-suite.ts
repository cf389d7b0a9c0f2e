import { test } from "node:test";
import { type MakeWorld, type World, worlds } from "./world.ts";

/** How one test of a law is run. */
export interface LawTestOptions {
  /** Why, over TCP, it holds in Node alone: it is skipped there in other runtimes. */
  readonly tcpNeedsNode?: string;
}

/** A law: a list of tests, each in a world of its own. */
export type Law = (it: (name: string, body: (world: World) => Promise<void>, options?: LawTestOptions) => void) => void;

const isNode = !("Bun" in globalThis || "Deno" in globalThis);

/** Runs a law over every world, or over those named. */
export function holdsEverywhere(law: Law, over: Readonly<Record<string, MakeWorld>> = worlds): void {
  for (const [place, make] of Object.entries(over)) {
    law((name, body, { tcpNeedsNode } = {}) => {
      const skip = place === "tcp" && !isNode && tcpNeedsNode !== undefined ? tcpNeedsNode : false;
      test(`${name} [${place}]`, { skip }, async () => {
        const world = make();
        try {
          await body(world);
        } finally {
          await world.end();
        }
      });
    });
  }
}
