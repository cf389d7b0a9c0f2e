import { createInstance } from "../instance.ts";
import type { Instance } from "../registry.ts";

/** Longest key that the gossip core takes. */
const maxKeyChars = 255;

/** An instance as its owner gossips it. */
export interface InstanceRecord {
  /** What was registered. */
  readonly instance: Instance;
  /** Whether its owner asks for no new calls. */
  readonly draining: boolean;
}

/** A record that does not say something all nodes can read. The text tells what is wrong with it. */
export class InstanceRecordError extends Error {
  override readonly name: string = "InstanceRecordError";
}

/**
 * The key of an instance's record: service and id, percent-encoded, with a slash between.
 *
 * @throws RangeError when service and id are too long together, or hold half a surrogate pair.
 */
export function instanceKey(service: string, id: string): string {
  let key: string;
  try {
    key = `${encodeURIComponent(service)}/${encodeURIComponent(id)}`;
  } catch {
    throw new RangeError(`Cannot register "${id}" for "${service}": a name is not well-formed text`);
  }
  if (key.length > maxKeyChars) {
    throw new RangeError(
      `Cannot register "${id}" for "${service}": service and id take ${key.length} characters encoded, ` +
        `the limit is ${maxKeyChars}`,
    );
  }
  return key;
}

/**
 * The value of an instance's record: JSON in UTF-8, fields that have their default left out, unknown ones ignored by
 * whoever reads it. JSON, so that a stranger's tool can read it; it is encoded once per change, never per packet.
 */
export function encodeInstance({ instance, draining }: InstanceRecord): Uint8Array {
  const { host, port, generation, weight, zone, version, metadata } = instance;
  const fields = {
    host,
    port,
    generation,
    ...(weight !== 1 && { weight }),
    ...(zone !== "" && { zone }),
    ...(version !== "" && { version }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(draining && { draining }),
  };
  return new TextEncoder().encode(JSON.stringify(fields));
}

/**
 * Reads a record that anybody may have written.
 *
 * @param ownerGeneration counts where the record names no generation.
 * @throws InstanceRecordError for whatever is wrong with it, and nothing else.
 */
export function decodeInstance(key: string, value: Uint8Array, ownerGeneration: number): InstanceRecord {
  try {
    const names = key.split("/").map(decodeURIComponent);
    if (names.length !== 2) throw new TypeError("the key is not service/id");
    const [service, id] = names as [string, string];
    const text = new TextDecoder("utf-8", { fatal: true }).decode(value);
    const fields = JSON.parse(text) as Partial<Record<keyof Instance | "draining", never>> | null;
    if (typeof fields !== "object" || fields === null) throw new TypeError("the value is not an object");
    const { host, port, generation, weight, zone, version, metadata, draining } = fields;
    // What these really are is checked by createInstance, field by field.
    const registration = { id, service, host, port, generation, weight, zone, version, metadata };
    const instance = createInstance(registration as unknown as Instance, ownerGeneration);
    return { instance, draining: draining === true };
  } catch (error) {
    throw new InstanceRecordError(`Cannot read record ${JSON.stringify(key)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
