import { createServer } from "pipit";
import { Idle } from "./contract.ts";
import { type UsageRequest, usage } from "./usage.ts";

const server = createServer();
server.handle(Idle, { echo: (text) => text });
const { port } = await server.listen();
process.on("message", (request: UsageRequest) => process.send?.(usage(request)));
process.on("disconnect", () => process.exit(0));
process.send?.({ port });
