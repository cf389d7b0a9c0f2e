import type { ClientCore } from "./client-core.ts";

const cores = new WeakMap<object, ClientCore>();

/** Lets the cluster strategies find what stands behind a client. */
export function attachCore(client: object, core: ClientCore): void {
  cores.set(client, core);
}

/** @throws TypeError for an object that `createClient` did not make */
export function coreOf(client: object): ClientCore {
  const core = cores.get(client);
  if (core === undefined) throw new TypeError("Expected a client made by createClient");
  return core;
}
