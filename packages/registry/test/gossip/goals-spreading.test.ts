import { testControlInShort, testInShort } from "./goals/short.ts";
import { goal1, goal1Loss, goal7, goal7Mass } from "./goals/spreading.ts";

testInShort([goal1, goal1Loss, goal7, goal7Mass]);
for (const goal of [goal1, goal1Loss, goal7, goal7Mass]) testControlInShort(goal);
