import type { ByteListener, ByteStream } from "@pipit/protocol";
import { RpcError } from "@pipit/protocol";

/** First port that is given out when none is asked for: where the dynamic range of RFC 6335 begins. */
const firstDynamicPort = 49_152;
const lastPort = 65_535;

/** What a listener does with a new stream. */
export type Accept = (stream: ByteStream) => void;

/** The ports of one machine: who listens where. */
export class PortTable {
  readonly #host: string;
  readonly #accepts = new Map<number, Accept>();
  #nextPort: number;

  /** @param firstPort First port given out when none is asked for. */
  constructor(host: string, firstPort: number = firstDynamicPort) {
    this.#host = host;
    this.#nextPort = firstPort;
  }

  /** Who accepts at a port, or undefined. */
  acceptAt(port: number): Accept | undefined {
    return this.#accepts.get(port);
  }

  /**
   * Takes a port; 0 takes a free one.
   *
   * @throws RpcError `already_exists` that names the port when it is taken
   */
  listen(askedPort: number, accept: Accept): ByteListener {
    const port = askedPort === 0 ? this.takePort() : askedPort;
    const address = `${this.#host}:${port}`;
    if (this.#accepts.has(port)) {
      throw new RpcError("already_exists", `Cannot listen on ${address}: port ${port} is taken`);
    }
    this.#accepts.set(port, accept);
    return {
      address,
      host: this.#host,
      port,
      close: () => {
        if (this.#accepts.get(port) === accept) this.#accepts.delete(port);
        return Promise.resolve();
      },
    };
  }

  /** A port that nobody listens on; each is given out once until all were. */
  takePort(): number {
    for (let tried = 0; tried <= lastPort; tried++) {
      const port = this.#nextPort;
      this.#nextPort = port === lastPort ? firstDynamicPort : port + 1;
      if (!this.#accepts.has(port)) return port;
    }
    throw new RpcError("resource_exhausted", `Cannot listen on ${this.#host}: every port is taken`);
  }

  clear(): void {
    this.#accepts.clear();
  }
}

/** Splits `host:port`, or returns undefined when the address is not of that form. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  if (colon <= 0 || !Number.isInteger(port) || port < 1 || port > lastPort) return undefined;
  return { host: address.slice(0, colon), port };
}
