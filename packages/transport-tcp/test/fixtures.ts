import { readFileSync } from "node:fs";
import { type ByteListener, type ByteStream, type ByteTransport, type Clock, systemClock } from "@pipit/protocol";
import { ByteStreamProbe } from "@pipit/protocol/testing";

/** A file of `certificates/`, such as `server.pem`. */
export function pem(name: string): string {
  return readFileSync(new URL(`certificates/${name}`, import.meta.url), "utf8");
}

/** Certificate and key of one of the fixtures. */
export function identity(name: string): { cert: string; key: string } {
  return { cert: pem(`${name}.pem`), key: pem(`${name}.key`) };
}

/** What a client of the test authority needs. */
export const trusting: { ca: string } = { ca: pem("authority.pem") };

/** Options of `connect` that nobody aborts. */
export function patient(more: { serverName?: string; clock?: Clock } = {}) {
  return { signal: new AbortController().signal, clock: systemClock, ...more };
}

/** A listener whose streams can be waited for, and that takes everything down at the end. */
export class Station implements AsyncDisposable {
  readonly #accepted: ByteStreamProbe[] = [];
  readonly #takers: ((probe: ByteStreamProbe) => void)[] = [];
  readonly #probes: ByteStreamProbe[] = [];
  #listener: ByteListener | undefined;

  static async open(transport: ByteTransport, where: { host?: string; path?: string } = {}): Promise<Station> {
    const station = new Station();
    station.#listener = await transport.listen(where, (stream) => {
      const probe = station.probe(stream);
      const taker = station.#takers.shift();
      if (taker === undefined) station.#accepted.push(probe);
      else taker(probe);
    });
    return station;
  }

  get listener(): ByteListener {
    if (this.#listener === undefined) throw new Error("The station is not open yet");
    return this.#listener;
  }

  get address(): string {
    return this.listener.address;
  }

  /** Streams that were accepted and not taken yet. */
  get waitingCount(): number {
    return this.#accepted.length;
  }

  /** The next stream that is accepted. */
  accepted(): Promise<ByteStreamProbe> {
    return new Promise((resolve) => {
      const first = this.#accepted.shift();
      if (first === undefined) this.#takers.push(resolve);
      else resolve(first);
    });
  }

  /** Both ends of a new connection. */
  async pair(client: ByteTransport, serverName?: string): Promise<{ near: ByteStreamProbe; far: ByteStreamProbe }> {
    const options = patient(serverName === undefined ? {} : { serverName });
    const [stream, far] = await Promise.all([client.connect(this.address, options), this.accepted()]);
    return { near: this.probe(stream), far };
  }

  /** Takes a stream that is closed with the station. */
  probe(stream: ByteStream): ByteStreamProbe {
    const probe = new ByteStreamProbe(stream).start();
    this.#probes.push(probe);
    return probe;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    for (const probe of this.#probes) probe.destroy();
  }
}
