import { test } from "node:test";
import { type MakeWorld, type World, worlds } from "./world.ts";

/** A law: a list of tests, each in a world of its own. */
export type Law = (it: (name: string, body: (world: World) => Promise<void>) => void) => void;

/** Runs a law over every world, or over those named. */
export function holdsEverywhere(law: Law, over: Readonly<Record<string, MakeWorld>> = worlds): void {
  for (const [place, make] of Object.entries(over)) {
    law((name, body) => {
      test(`${name} [${place}]`, async () => {
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
