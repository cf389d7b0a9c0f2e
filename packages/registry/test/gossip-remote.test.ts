/** The contract of `Registry` as a member keeps it for instances that another member owns: over real sockets, both ways. */
import { gossipRegistry } from "../src/gossip-registry.ts";
import { read } from "./gossip-nodes.ts";
import { openWritable, registrySuite, type RegistryUnderTest, suiteService } from "./registry-suite.ts";

/** News goes fast; what might be a death is judged in its own time, so that no busy machine makes anybody suspect. */
const timing = { gossipIntervalMs: 30 };

registrySuite("gossipRegistry, of another member's instances,", { open: openRemote });

async function openRemote(): Promise<RegistryUnderTest> {
  const owner = gossipRegistry({ id: "owner", timing });
  const { host, port } = await owner.open();
  const reader = gossipRegistry({ id: "reader", timing, seeds: [`${host}:${port}`] });
  await reader.open();
  const owned = await openWritable(owner);
  const arrived = async (ids: readonly string[]): Promise<void> => {
    const wanted = ids.map((id) => `${id} up`).join(", ");
    for await (const snapshot of reader.watch(suiteService)) if (read(snapshot) === wanted) return;
  };
  await arrived(["a", "b"]);
  // The suite closes only what it reads.
  const close = reader.close.bind(reader);
  reader.close = async () => {
    await owner.destroy();
    await close();
  };
  const serve = async (ids: readonly string[]): Promise<void> => {
    await owned.serve(ids);
    await arrived(ids);
  };
  return { registry: reader, serve };
}
