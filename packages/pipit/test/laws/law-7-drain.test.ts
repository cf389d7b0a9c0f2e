import { holdsEverywhere } from "../support/law-suite.ts";
import { lawSeven } from "./law-7-drain.ts";

holdsEverywhere(lawSeven);
