import { holdsEverywhere } from "../support/law-suite.ts";
import { lawFour } from "./law-4-sent-twice.ts";

holdsEverywhere(lawFour);
