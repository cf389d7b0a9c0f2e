export { type RunUntilOptions, type VirtualClock, virtualClock } from "./virtual-clock.ts";
export { between, seededRandom } from "./seeded-random.ts";
export { EventQueue } from "./event-queue.ts";
