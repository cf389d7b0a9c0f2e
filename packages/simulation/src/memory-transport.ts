import type { ByteStream, ByteTransport, Clock } from "@pipit/protocol";
import { RpcError } from "@pipit/protocol";
import { PortTable, splitAddress } from "./port-table.ts";
import { nextTurn } from "./real-turn.ts";
import { seededRandom } from "./seeded-random.ts";
import { SimulatedLink } from "./simulated-link.ts";
import type { Timeline } from "./simulated-wire.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const hostName = "memory";
const firstPort = 1;
const windowBytes = 262_144;
const pieceBytes = 65_536;

/** A {@link ByteTransport} within this process. */
export interface MemoryTransport extends ByteTransport {
  /** Address of the first listener: known before anybody listens. */
  readonly address: string;
}

/**
 * Byte streams within one process, with no latency and no sockets: for tests that want the true stack above. Each delivery is
 * a turn of its own: of the connecting end's clock when that is a {@link VirtualClock}, else of the real event loop.
 */
export function memoryTransport(): MemoryTransport {
  const ports = new PortTable(hostName, firstPort);
  let linkCount = 0;

  return {
    name: "memory",
    address: `${hostName}:${firstPort}`,
    connect: (address, { signal, clock }) =>
      new Promise<ByteStream>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const abort = (): void => reject(signal.reason);
        signal.addEventListener("abort", abort, { once: true });
        const timeline = timelineOf(clock);
        timeline.at(timeline.now(), () => {
          signal.removeEventListener("abort", abort);
          if (signal.aborted) return;
          const target = splitAddress(address);
          const accept = target?.host === hostName ? ports.acceptAt(target.port) : undefined;
          if (accept === undefined) {
            return reject(new RpcError("unavailable", `Cannot connect to ${address}: nobody listens there`));
          }
          const link = createLink(++linkCount, timeline, address);
          accept(link.serverStream);
          resolve(link.clientStream);
        });
      }),
    listen: (where, accept) =>
      new Promise((resolve) => {
        if (where.path !== undefined) throw new TypeError(`Cannot listen on ${where.path}: memory has no paths`);
        resolve(ports.listen(where.port ?? 0, accept));
      }),
  };
}

function createLink(id: number, timeline: Timeline, address: string): SimulatedLink {
  return new SimulatedLink({
    id,
    timeline,
    random: seededRandom(id),
    client: alwaysRunning,
    server: alwaysRunning,
    clientPeer: { address: `${hostName}-client:${id}`, secure: true, local: true },
    serverPeer: { address, secure: true, local: true },
    latencyMs: 0,
    jitterMs: 0,
    bytesPerMs: Number.POSITIVE_INFINITY,
    windowBytes,
    pieceBytes,
    copiesWrites: false,
    isCut: () => false,
  });
}

const alwaysRunning = { run: (fn: () => void): void => fn(), isFrozen: (): boolean => false };

/** Turns of the real event loop: time is not asked for, as nothing takes any. */
const realTurns: Timeline = { now: () => 0, at: (_atMs, fn) => nextTurn(fn) };

function timelineOf(clock: Clock): Timeline {
  return isVirtual(clock) ? clock : realTurns;
}

function isVirtual(clock: Clock): clock is VirtualClock {
  return "at" in clock && "runUntil" in clock;
}
