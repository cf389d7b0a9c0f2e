import { openWritable, registrySuite } from "../test/registry-suite.ts";
import { gossipRegistry } from "./gossip-registry.ts";

registrySuite("gossipRegistry", { open: () => openWritable(gossipRegistry()) });
