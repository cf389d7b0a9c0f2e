import {
  goal2Hundred,
  goal2Ten,
  goal2Thousand,
  goal3Hundred,
  goal3Thousand,
  goal4,
  goal6,
  goal6Cut,
} from "./detection.ts";
import type { Goal } from "./goal.ts";
import { goal1, goal1Loss, goal7, goal7Mass } from "./spreading.ts";

/** All goals, in the order of the issue. */
export const goals: readonly Goal[] = [
  goal1,
  goal1Loss,
  goal2Ten,
  goal2Hundred,
  goal2Thousand,
  goal3Thousand,
  goal3Hundred,
  goal4,
  goal6,
  goal6Cut,
  goal7,
  goal7Mass,
];
