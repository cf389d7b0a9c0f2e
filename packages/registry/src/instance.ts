import type { Instance, InstanceUpdate, Registration } from "./registry.ts";

/** UTF-16 units in an instance id or host. A UUID with a host name before it fits. */
const maxIdChars = 255;
/** UTF-16 units in a service name. */
const maxServiceChars = 255;
const maxPort = 65_535;

const noMetadata: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Checks a registration and fills in its defaults.
 *
 * @param generation used when the registration names none.
 * @throws TypeError or RangeError that names the field, the value met and what was wanted.
 */
export function createInstance(registration: Registration, generation: number): Instance {
  assertName("id", registration.id, maxIdChars);
  assertName("service", registration.service, maxServiceChars);
  assertName("host", registration.host, maxIdChars);
  const { port } = registration;
  if (!Number.isInteger(port) || port < 0 || port > maxPort) {
    throw new RangeError(`Cannot register "${registration.id}": port is ${show(port)}, expected 0 to ${maxPort}`);
  }
  const given = registration.generation ?? generation;
  if (!Number.isSafeInteger(given) || given < 0) {
    throw new RangeError(`Cannot register "${registration.id}": generation is ${show(given)}, expected an integer ≥ 0`);
  }
  return updateInstance(
    {
      id: registration.id,
      generation: given,
      service: registration.service,
      host: registration.host,
      port,
      weight: 1,
      zone: "",
      version: "",
      metadata: noMetadata,
    },
    registration,
  );
}

/**
 * The instance with `change` applied, frozen. The one given stays as it is.
 *
 * @throws TypeError or RangeError that names the field, the value met and what was wanted.
 */
export function updateInstance(instance: Instance, change: InstanceUpdate): Instance {
  const { weight = instance.weight, zone = instance.zone, version = instance.version } = change;
  if (typeof weight !== "number" || !Number.isFinite(weight) || weight < 0) {
    throw new RangeError(`Cannot register "${instance.id}": weight is ${show(weight)}, expected a number ≥ 0`);
  }
  assertString(instance.id, "zone", zone);
  assertString(instance.id, "version", version);
  const metadata = change.metadata === undefined ? instance.metadata : copyMetadata(instance.id, change.metadata);
  return Object.freeze({
    id: instance.id,
    generation: instance.generation,
    service: instance.service,
    host: instance.host,
    port: instance.port,
    weight,
    zone,
    version,
    metadata,
  });
}

/** @throws TypeError or RangeError unless `service` can be a service name. */
export function assertService(service: string): void {
  assertName("service", service, maxServiceChars);
}

function copyMetadata(id: string, given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`Cannot register "${id}": metadata is ${show(given)}, expected an object of strings`);
  }
  const entries = Object.entries(given);
  for (const [key, value] of entries) assertString(id, `metadata[${JSON.stringify(key)}]`, value);
  // fromEntries defines properties, so a key such as __proto__ stays an ordinary one.
  return Object.freeze(Object.fromEntries(entries));
}

function assertName(field: string, value: unknown, maxChars: number): void {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`Cannot use ${show(value)} as an instance's ${field}: expected a non-empty string`);
  }
  if (value.length > maxChars) {
    throw new RangeError(`Cannot use an instance's ${field} of ${value.length} characters: the limit is ${maxChars}`);
  }
}

function assertString(id: string, field: string, value: unknown): void {
  if (typeof value !== "string") {
    throw new TypeError(`Cannot register "${id}": ${field} is ${show(value)}, expected a string`);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
