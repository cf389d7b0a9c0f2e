import { holdsEverywhere } from "../support/law-suite.ts";
import { lawOne } from "./law-1-settles.ts";

holdsEverywhere(lawOne);
