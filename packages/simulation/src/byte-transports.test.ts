import { systemClock } from "@pipit/protocol";
import { byteTransportSuite } from "@pipit/protocol/testing";
import { memoryTransport } from "./memory-transport.ts";
import type { PieceBytes } from "./simulated-link.ts";
import { simulatedNetwork } from "./simulated-network.ts";
import { seededRandom } from "./seeded-random.ts";
import { virtualClock } from "./virtual-clock.ts";

for (const clock of [systemClock, virtualClock()]) {
  byteTransportSuite(clock === systemClock ? "memory in real turns" : "memory in virtual turns", () => {
    const link = memoryTransport();
    return Promise.resolve({ client: link, server: link, clock, where: {}, deadAddress: "memory:9" });
  });
}

simulated("simulation", { latencyMs: 0, pieceBytes: 65_536 });
simulated("simulation with latency and jitter", { latencyMs: 25, jitterMs: 10, pieceBytes: "random" });
simulated("simulation with kernels that copy", { latencyMs: 5, copiesWrites: true, pieceBytes: 65_536 });
simulated("simulation of a slow link in small pieces", { latencyMs: 1, bytesPerSecond: 1_000_000, pieceBytes: 4_099 });

function simulated(
  name: string,
  options: {
    latencyMs: number;
    jitterMs?: number;
    copiesWrites?: boolean;
    bytesPerSecond?: number;
    pieceBytes: PieceBytes;
  },
): void {
  byteTransportSuite(name, () => {
    const clock = virtualClock();
    const network = simulatedNetwork({ clock, random: seededRandom(11), ...options });
    return Promise.resolve({
      client: network.host("client"),
      server: network.host("server"),
      clock,
      where: { port: 50_051 },
      deadAddress: "server:9",
      drive: (law) => clock.runUntil(law),
    });
  });
}
