import {
  type ClientOptions,
  createClient,
  createServer,
  type PipitClient,
  type Server,
  type ServerOptions,
} from "pipit";
import { createTransport, type ByteTransport, type Clock, systemClock, type Transport } from "@pipit/protocol";
import { memoryTransport, seededRandom, simulatedNetwork, virtualClock } from "@pipit/simulation";
import { tcpStreams } from "@pipit/transport-tcp";
import { type Faults, FaultyStreams } from "./faulty-streams.ts";
import { lendingStreams } from "./lending-streams.ts";

/** A place where servers and clients meet: what the suites of the laws need of a transport. */
export interface World {
  readonly name: string;
  readonly clock: Clock;
  /** Its time passes only when told. */
  readonly isVirtual: boolean;
  /**
   * A time that steps of a test must fit into: `ms` where time is ours. Where it passes by itself ten times that, for a machine that does
   * much else may leave us alone for as long as a whole step takes.
   */
  span(ms: number): number;
  /** What happens to the clients' connections. */
  readonly faults: Faults;
  /** Lets time run until the promise settles. */
  run<T>(promise: PromiseLike<T>): Promise<T>;
  /** Lets so many milliseconds pass. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until `condition` holds; fails after a minute of it. */
  until(condition: () => boolean): Promise<void>;
  server(options?: ServerOptions): Server;
  /** Listens, at a port of its own unless told. Gives the address. */
  listen(server: Server, port?: number): Promise<string>;
  client(target: ClientOptions["target"], options?: Omit<ClientOptions, "target">): PipitClient;
  /** Ends all servers and clients made here. */
  end(): Promise<void>;
}

/** Makes a world of its own for one test. */
export type MakeWorld = () => World;

/** The suites run over each of these. */
export const worlds: Readonly<Record<string, MakeWorld>> = {
  memory() {
    const clock = virtualClock();
    const streams = memoryTransport();
    return world({
      clock,
      isVirtual: true,
      server: streams,
      client: streams,
      run: (promise) => clock.runUntil(promise),
      pass: (ms) => clock.advance(ms),
    });
  },
  "simulated network"() {
    const clock = virtualClock();
    const network = simulatedNetwork({
      clock,
      random: seededRandom(7),
      latencyMs: 1,
      pieceBytes: "random",
    });
    return world({
      clock,
      isVirtual: true,
      server: network.host("server"),
      client: network.host("client"),
      run: (promise) => clock.runUntil(promise),
      pass: (ms) => clock.advance(ms),
    });
  },
  tcp: () => realWorld(tcpStreams()),
};

/** A world over byte streams that take real time: what a transport of its own needs to run the suites of the laws. */
export function realWorld(server: ByteTransport, client: ByteTransport = server): World {
  return world({
    clock: systemClock,
    isVirtual: false,
    server,
    client,
    run: (promise) => Promise.resolve(promise),
    pass: (ms) => new Promise((resolve) => systemClock.after(ms, resolve)),
  });
}

interface Parts {
  readonly clock: Clock;
  readonly isVirtual: boolean;
  readonly server: ByteTransport;
  readonly client: ByteTransport;
  run<T>(promise: PromiseLike<T>): Promise<T>;
  pass(ms: number): Promise<void>;
}

function world({ clock, isVirtual, server: serverStreams, client: clientStreams, run, pass }: Parts): World {
  const faults = new FaultyStreams(clientStreams);
  const serverTransport: Transport = createTransport(lendingStreams(serverStreams));
  const clientTransport: Transport = createTransport(lendingStreams(faults));
  const servers: Server[] = [];
  const clients: PipitClient[] = [];
  let seed = 100;
  return {
    name: serverStreams.name,
    clock,
    isVirtual,
    span: (ms) => (isVirtual ? ms : 10 * ms),
    faults,
    run,
    pass,
    async until(condition) {
      for (let ms = 0; !condition(); ms++) {
        if (ms > 60_000) throw new Error(`Still not so after a minute: ${condition.toString()}`);
        await pass(1);
      }
    },
    server(options) {
      const server = createServer({ clock, random: seededRandom(seed++), onError: () => undefined, ...options });
      servers.push(server);
      return server;
    },
    async listen(server, port = 0) {
      const { host, port: bound } = await run(server.listen({ transport: serverTransport, port }));
      return `${host}:${bound}`;
    },
    client(target, options) {
      const client = createClient({
        target,
        clock,
        random: seededRandom(seed++),
        transport: clientTransport,
        ...options,
      });
      clients.push(client);
      return client;
    },
    async end() {
      await run(Promise.all(clients.map((client) => client.close({ graceMs: 0 }))));
      await run(Promise.all(servers.map((server) => server.close({ graceMs: 0 }))));
    },
  };
}
