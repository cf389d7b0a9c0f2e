import { goal8, goal8Churn, goal10, goal11, goal11Nonce, goal11Open, goal13 } from "./goals/hostile.ts";
import { testInShort } from "./goals/short.ts";

testInShort([goal8, goal8Churn, goal10, goal11, goal11Open, goal11Nonce, goal13]);
