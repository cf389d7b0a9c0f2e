import { readFileSync } from "node:fs";
import { tcpStreams } from "@pipit/transport-tcp";
import { holdsEverywhere } from "../support/law-suite.ts";
import { realWorld } from "../support/world.ts";
import { lawOne } from "../laws/law-1-settles.ts";
import { lawSeven } from "../laws/law-7-drain.ts";

// All that a transport needs to be held to the laws: byte streams.
const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../transport-tcp/test/certificates/${name}.pem`, import.meta.url));
const key = readFileSync(new URL("../../../transport-tcp/test/certificates/server.key", import.meta.url));
const overTls = {
  tls: () =>
    realWorld(tcpStreams({ tls: { cert: pem("server"), key } }), tcpStreams({ tls: { ca: pem("authority") } })),
};

for (const law of [lawOne, lawSeven]) holdsEverywhere(law, overTls);
