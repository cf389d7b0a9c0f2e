import type { Listener } from "@pipit/protocol";
import type { Lease, Registry } from "@pipit/registry";
import type { ServerListenOptions, ServerOptions } from "./options.ts";

/** What to announce, and where. */
export interface RegistrationRequest {
  readonly registry: Registry;
  readonly serverId: string;
  readonly services: readonly string[];
  readonly listener: Listener;
  readonly advertise: ServerListenOptions["advertise"];
  readonly options: ServerOptions;
  /** Which listener of the server this is, from 0: each is an instance of its own. */
  readonly index: number;
}

/**
 * Announces each service at one listener. No generation is named: the registry gives one newer than any it has given or seen
 * under the id, and by a clock that goes on across restarts (a gossip member's start in ms since 1970). The server's own clock
 * is monotonic, of unknown origin, and would call a restarted process older than its dead self. If one registration fails, those made are released and the failure is thrown.
 */
export async function registerServices(request: RegistrationRequest): Promise<Lease[]> {
  const { registry, serverId, listener, advertise, options, index } = request;
  const leases: Lease[] = [];
  try {
    for (const service of request.services) {
      leases.push(
        await registry.register({
          id: index === 0 ? serverId : `${serverId}-${index}`,
          service,
          ...(listener.address.startsWith("unix:")
            ? { host: listener.address, port: 0 }
            : { host: advertise?.host ?? listener.host, port: advertise?.port ?? listener.port }),
          weight: options.weight,
          zone: options.zone,
          version: options.version,
          metadata: options.metadata,
        }),
      );
    }
    return leases;
  } catch (error) {
    await Promise.all(leases.map((lease) => lease.release()));
    throw error;
  }
}
