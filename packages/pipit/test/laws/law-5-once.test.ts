import { holdsEverywhere } from "../support/law-suite.ts";
import { lawFive } from "./law-5-once.ts";

holdsEverywhere(lawFive);
