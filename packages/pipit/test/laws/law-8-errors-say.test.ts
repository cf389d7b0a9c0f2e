import { holdsEverywhere } from "../support/law-suite.ts";
import { lawEight } from "./law-8-errors-say.ts";

holdsEverywhere(lawEight);
