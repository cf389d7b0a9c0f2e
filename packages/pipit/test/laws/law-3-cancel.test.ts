import { holdsEverywhere } from "../support/law-suite.ts";
import { lawThree } from "./law-3-cancel.ts";

holdsEverywhere(lawThree);
