import { holdsEverywhere } from "../support/law-suite.ts";
import { lawSix } from "./law-6-back-pressure.ts";

holdsEverywhere(lawSix);
