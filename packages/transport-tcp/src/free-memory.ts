type Port = InstanceType<typeof MessagePort>;

/** Memory as newer engines have it. */
interface Transferable {
  transfer?(length: number): unknown;
}

/** Closed: what is sent through it goes nowhere. */
let closedPort: Port | undefined;

/**
 * Gives the memory under `bytes` back at once. Nobody may hold another view of it; `bytes` itself is empty afterwards.
 *
 * The collector would do it too, but it learns late how much memory of this kind is dead: a process that moves much has it mark the whole
 * heap every 16 MiB or so. And what is free at once is taken for the next read while the processor's cache still has it.
 */
export function freeMemory(bytes: Uint8Array<ArrayBuffer>): void {
  const memory: ArrayBuffer & Transferable = bytes.buffer;
  if (memory.transfer !== undefined) {
    memory.transfer(0);
    return;
  }
  // Node 20 has no other way. The memory moves into the message, and with it to nowhere.
  closedPort ??= createClosedPort();
  closedPort.postMessage(undefined, [memory]);
}

function createClosedPort(): Port {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}
