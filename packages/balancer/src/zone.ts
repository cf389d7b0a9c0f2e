/**
 * How traffic divides among zones when near ones are preferred and every endpoint is still to get its equal share: the
 * local zone takes all it has room for, and what is over goes to zones that have room left. As in Envoy's zone-aware
 * routing, except that a client here knows not how many other clients there are, and is told or assumes even zones.
 */

/** Prefers endpoints in one's own zone. */
export interface ZoneOptions {
  /** The zone of this client. */
  readonly local: string;
  /**
   * Share of all clients' traffic that starts in this zone, above 0 and up to 1. Default: 1 ÷ the number of zones that
   * have endpoints. Where this zone has a smaller share of the endpoints, the excess spills over.
   */
  readonly clientShare?: number | undefined;
}

/** @throws RangeError for a share out of range. */
export function assertZone({ clientShare }: ZoneOptions): void {
  if (clientShare === undefined || (clientShare > 0 && clientShare <= 1)) return;
  throw new RangeError(`Cannot create a balancer: zone.clientShare is ${clientShare}, expected above 0 and up to 1`);
}

/** Shares of traffic by zone, summing to 1, from the capacities of the zones (the sum of their weights). */
export function zoneShares(capacities: ReadonlyMap<string, number>, options: ZoneOptions): Map<string, number> {
  const total = [...capacities.values()].reduce((sum, capacity) => sum + capacity, 0);
  const zoneCount = capacities.size;
  const localShare = (capacities.get(options.local) ?? 0) / total;
  const clientShare = options.clientShare ?? 1 / zoneCount;
  const stays = Math.min(1, localShare / clientShare);
  const remote = [...capacities].filter(([zone]) => zone !== options.local);
  // What other zones have room for once their own clients, taken to be spread evenly, are served.
  const remoteClients = (1 - clientShare) / Math.max(1, remote.length);
  const room = remote.map(([, capacity]) => Math.max(0, capacity / total - remoteClients));
  const roomTotal = room.reduce((sum, value) => sum + value, 0);
  const remoteTotal = remote.reduce((sum, [, capacity]) => sum + capacity, 0);
  const shares = new Map<string, number>();
  if (capacities.has(options.local)) shares.set(options.local, remote.length === 0 ? 1 : stays);
  for (const [index, [zone, capacity]] of remote.entries()) {
    const part = roomTotal > 0 ? (room[index] ?? 0) / roomTotal : capacity / remoteTotal;
    shares.set(zone, (1 - stays) * part);
  }
  return shares;
}
