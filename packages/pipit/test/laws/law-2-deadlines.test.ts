import { holdsEverywhere } from "../support/law-suite.ts";
import { lawTwo } from "./law-2-deadlines.ts";

holdsEverywhere(lawTwo);
