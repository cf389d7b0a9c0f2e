import { goal2Hundred, goal2Ten, goal2Thousand, goal6, goal6Cut } from "./goals/detection.ts";
import { testInShort } from "./goals/short.ts";

testInShort([goal2Ten, goal2Hundred, goal2Thousand, goal6, goal6Cut]);
