import { goal3Hundred, goal3Thousand, goal4, goal4Deaf } from "./goals/detection.ts";
import { testControlInShort, testInShort } from "./goals/short.ts";

testInShort([goal3Thousand, goal3Hundred, goal4, goal4Deaf]);
testControlInShort(goal3Hundred);
testControlInShort(goal4);
testControlInShort(goal4Deaf);
