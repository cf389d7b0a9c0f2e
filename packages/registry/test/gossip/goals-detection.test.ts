import { goal2Hundred, goal2Ten, goal2Thousand, goal6, goal6Cut } from "./goals/detection.ts";
import { testControlInShort, testInShort } from "./goals/short.ts";

testInShort([goal2Ten, goal2Hundred, goal2Thousand, goal6, goal6Cut]);
for (const goal of [goal2Ten, goal2Hundred, goal6, goal6Cut]) testControlInShort(goal);
