import type { Context, Method, Service } from "@pipit/protocol";

/** A handler, whatever its kind: what it gets and gives is the contract's affair. */
export type AnyHandler = (input: unknown, context: Context) => unknown;

/** A method with what serves it. */
export interface HandlerEntry {
  readonly method: Method;
  readonly handler: AnyHandler;
}

/** The services of one server. */
export class HandlerTable {
  readonly #services = new Map<
    string,
    { readonly contract: Service; readonly entries: ReadonlyMap<string, HandlerEntry> }
  >();
  readonly #byMethod = new Map<Method, HandlerEntry>();
  /** The entry asked for last: calls of one method come in runs. */
  #last: HandlerEntry | undefined;

  /**
   * @throws TypeError when the service is there already, a member is no function, or a plain object has a member that is
   *   no method of the contract
   */
  add(contract: Service, implementation: object): void {
    if (this.#services.has(contract.name)) {
      throw new TypeError(`Cannot handle service "${contract.name}" twice on one server`);
    }
    if (isPlain(implementation)) assertNoExtra(contract, implementation);
    const entries = new Map<string, HandlerEntry>();
    for (const [name, method] of Object.entries(contract.methods)) {
      const handler = (implementation as Record<string, unknown>)[name];
      if (handler === undefined) continue;
      if (typeof handler !== "function") {
        throw new TypeError(
          `Handler "${name}" of service "${contract.name}": expected a function, got ${typeof handler}`,
        );
      }
      entries.set(name, { method, handler: handler.bind(implementation) as AnyHandler });
    }
    this.#services.set(contract.name, { contract, entries });
    for (const entry of entries.values()) this.#byMethod.set(entry.method, entry);
  }

  /** The method as declared here; undefined when nothing serves it. */
  lookup(service: string, method: string): Method | undefined {
    return this.#services.get(service)?.entries.get(method)?.method;
  }

  entryOf(method: Method): HandlerEntry | undefined {
    if (this.#last?.method !== method) this.#last = this.#byMethod.get(method);
    return this.#last;
  }

  /** The contracts handled, in order. */
  get contracts(): readonly Service[] {
    return [...this.#services.values()].map(({ contract }) => contract);
  }

  /** Whether something serves this method of this service. */
  serves(service: string, method: string): boolean {
    return this.lookup(service, method) !== undefined;
  }
}

/** A literal, as opposed to an instance of a class, which may have state and helpers of its own. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function assertNoExtra(contract: Service, implementation: object): void {
  for (const key of Object.keys(implementation)) {
    if (Object.hasOwn(contract.methods, key)) continue;
    const known = Object.keys(contract.methods).join(", ");
    throw new TypeError(`Handler "${key}" is no method of service "${contract.name}", which has ${known}`);
  }
}
