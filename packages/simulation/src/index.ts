export { EventQueue } from "./event-queue.ts";
export { between, seededRandom } from "./seeded-random.ts";
