import type {
  ByteConnectOptions,
  ByteListener,
  ByteStream,
  ByteTransport,
  Clock,
  ListenAddress,
} from "@pipit/protocol";
import type { VirtualClock } from "./virtual-clock.ts";

/** What a host asks of the network it is part of. */
export interface HostNetwork {
  readonly connect: (from: SimulatedHost, address: string, options: ByteConnectOptions) => Promise<ByteStream>;
  readonly listen: (
    at: SimulatedHost,
    where: ListenAddress,
    accept: (stream: ByteStream) => void,
  ) => Promise<ByteListener>;
  /** The process runs again, or is gone. */
  readonly onThaw: (host: SimulatedHost) => void;
  readonly onGone: (host: SimulatedHost, silently: boolean) => void;
}

/** One process on the simulated network: its sockets, its clock, and what can befall it. */
export class SimulatedHost implements ByteTransport {
  readonly name: string = "simulation";
  /** Name of the host in addresses: `a` in `a:50051`. */
  readonly hostName: string;
  /** The process's own view of time: its timers do not fire while it is frozen, nor once it is gone. */
  readonly clock: Clock;
  readonly #network: HostNetwork;
  readonly #time: VirtualClock;
  readonly #lateTimers: (() => void)[] = [];
  readonly #lateInput: (() => void)[] = [];
  #state: "running" | "frozen" | "gone" = "running";
  #refuses = false;

  /** @internal Hosts come from `network.host(name)`. */
  constructor(hostName: string, time: VirtualClock, network: HostNetwork) {
    this.hostName = hostName;
    this.#time = time;
    this.#network = network;
    this.clock = {
      now: () => time.now(),
      after: (delayMs, fn, options) => {
        let cancelled = false;
        const ring = (): void => {
          if (!cancelled) this.#runTimer(fn);
        };
        const cancel = time.after(delayMs, ring, options);
        return () => {
          cancelled = true;
          cancel();
        };
      },
      soon: (fn) => time.soon(fn),
    };
  }

  get isGone(): boolean {
    return this.#state === "gone";
  }

  get refusesConnections(): boolean {
    return this.#refuses;
  }

  /** Refuses every new connection, as if nothing listened; streams that stand live on. */
  refuseConnections(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** Stops the process: no timer fires and nothing is read, while the kernel below goes on until its buffers are full. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** Lets the process run again. As in Node, timers that came due meanwhile fire before any socket is read. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    for (const fn of this.#lateTimers.splice(0)) this.#time.turn(() => this.#runTimer(fn));
    for (const fn of this.#lateInput.splice(0)) this.#time.turn(() => this.run(fn));
    this.#network.onThaw(this);
  }

  /** Kills the process: its kernel closes every socket, nothing of it runs again. `network.host(name)` gives its successor. */
  crash(): void {
    this.#go(false);
  }

  /** Takes the power away: nothing of it runs again, and nobody is told. */
  vanish(): void {
    this.#go(true);
  }

  connect(address: string, options: ByteConnectOptions): Promise<ByteStream> {
    return this.#network.connect(this, address, options);
  }

  listen(where: ListenAddress, accept: (stream: ByteStream) => void): Promise<ByteListener> {
    return this.#network.listen(this, where, accept);
  }

  /** @internal */
  readonly run = (fn: () => void): void => {
    if (this.#state === "running") fn();
    else if (this.#state === "frozen") this.#lateInput.push(fn);
  };

  /** @internal */
  readonly isFrozen = (): boolean => this.#state !== "running";

  #runTimer(fn: () => void): void {
    if (this.#state === "running") fn();
    else if (this.#state === "frozen") this.#lateTimers.push(fn);
  }

  #go(silently: boolean): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#lateTimers.length = 0;
    this.#lateInput.length = 0;
    this.#network.onGone(this, silently);
  }
}
