import { goal8, goal8Churn, goal10, goal11, goal11Live, goal11Nonce, goal11Open, goal13 } from "./goals/hostile.ts";
import { testControlInShort, testInShort } from "./goals/short.ts";

testInShort([goal8, goal8Churn, goal10, goal11, goal11Open, goal11Live, goal11Nonce, goal13]);
for (const goal of [goal8, goal8Churn, goal10, goal11, goal11Live, goal11Nonce, goal13]) testControlInShort(goal);
