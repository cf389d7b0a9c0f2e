export { type RunUntilOptions, type VirtualClock, virtualClock } from "./virtual-clock.ts";
export { between, seededRandom } from "./seeded-random.ts";
export {
  type PacketEvent,
  type SimulatedNetwork,
  simulatedNetwork,
  type SimulatedNetworkOptions,
} from "./simulated-network.ts";
export type { SimulatedHost } from "./simulated-host.ts";
export type { Direction, PieceBytes, SimulatedLink } from "./simulated-link.ts";
export { type MemoryTransport, memoryTransport } from "./memory-transport.ts";
export { EventQueue } from "./event-queue.ts";
export {
  type DatagramConditions,
  type DatagramNetwork,
  datagramNetwork,
  quietNetwork,
} from "./datagram-network.ts";
