// `npm run options` writes `docs/options.md` from the comments in the sources.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { optionsPage } from "./support/option-tables.ts";
import { root } from "./support/repository.ts";

writeFileSync(join(root, "docs/options.md"), optionsPage());
