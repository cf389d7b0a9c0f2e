import { goal5, goal5Churn, goal5Rolling, goal9, goal12 } from "./cost.ts";
import {
  goal2Hundred,
  goal2Ten,
  goal2Thousand,
  goal3Hundred,
  goal3Thousand,
  goal4,
  goal4Deaf,
  goal6,
  goal6Cut,
} from "./detection.ts";
import type { Goal } from "./goal.ts";
import {
  goal8,
  goal8Churn,
  goal8Long,
  goal10,
  goal11,
  goal11Live,
  goal11Nonce,
  goal11Open,
  goal13,
} from "./hostile.ts";
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
  goal4Deaf,
  goal5,
  goal5Churn,
  goal5Rolling,
  goal6,
  goal6Cut,
  goal7,
  goal7Mass,
  goal8,
  goal8Churn,
  goal8Long,
  goal9,
  goal10,
  goal11,
  goal11Open,
  goal11Live,
  goal11Nonce,
  goal12,
  goal13,
];
