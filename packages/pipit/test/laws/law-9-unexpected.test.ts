import { holdsEverywhere } from "../support/law-suite.ts";
import { lawNine } from "./law-9-unexpected.ts";

holdsEverywhere(lawNine);
