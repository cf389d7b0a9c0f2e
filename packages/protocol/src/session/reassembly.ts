import type { HeldBytes } from "./held-bytes.ts";
import type { SessionLimits } from "./limits.ts";

/**
 * Why a message of `totalBytes` cannot be taken that needs `bytes` until it is whole, beside what its connection has `held` of unfinished
 * ones: parts that have come, and packed messages that are being unpacked. Undefined when it can.
 */
export function reassemblyExcess(
  held: HeldBytes,
  limits: SessionLimits,
  totalBytes: number,
  bytes: number,
): string | undefined {
  const { maxMessageBytes, maxReassemblyBytes, maxProcessReassemblyBytes } = limits;
  const { heldBytes, pool } = held;
  if (totalBytes > maxMessageBytes) return `Message of ${totalBytes} bytes: at most ${maxMessageBytes} are accepted`;
  if (heldBytes + bytes > maxReassemblyBytes)
    return `Message of ${totalBytes} bytes beside ${heldBytes} bytes of unfinished ones: at most ${maxReassemblyBytes} are held`;
  if (pool.heldBytes + bytes > maxProcessReassemblyBytes)
    return `Message of ${totalBytes} bytes beside ${pool.heldBytes} bytes of unfinished ones of all connections: at most ${maxProcessReassemblyBytes} are held`;
  return undefined;
}
