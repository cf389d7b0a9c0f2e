import { createServer } from "pipit";
import { Load, loadItemBytes, watchMemory } from "./load.ts";
import { holdHeap } from "../support/heap.ts";
import { limit } from "./limit.ts";

/* The server of `stream-load`: says its ports, then what it has produced and how its memory stands, whenever asked. */

holdHeap();
let producedBytes = 0;
const item = new Uint8Array(loadItemBytes).fill(1);
const server = createServer();
server.handle(Load, {
  tiny: ({ name }) => ({ message: `Hello, ${name}!` }),
  blob: (data) => data,
  async *produce({ count }) {
    producedBytes = 0;
    for (let n = 0; n < count; n++) {
      producedBytes += loadItemBytes;
      yield item;
    }
  },
});
const { port } = await server.listen({ port: 0 });
const memory = watchMemory();
process.on("message", () => process.send?.({ producedBytes, ...memory.read() }));
process.on("disconnect", () => process.exit(0));
process.send?.({ port, controlPort: await limit.serve() });
