import { goal5, goal5Churn, goal5Rolling, goal9 } from "./goals/cost.ts";
import { testControlInShort, testInShort } from "./goals/short.ts";

// Goal 12, the simulator's speed, is only for a machine at rest: the soak measures it.
testInShort([goal5, goal5Churn, goal5Rolling, goal9]);
testControlInShort(goal5);
testControlInShort(goal5Churn);
testControlInShort(goal9);
