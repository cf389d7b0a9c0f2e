import {
  type ClientConnection,
  type Clock,
  type LoadReport,
  type Method,
  type Random,
  RpcError,
  type SessionLimits,
  type Transport,
  uniform,
} from "@pipit/protocol";
import { backoffMs } from "./backoff.ts";
import type { ResolvedConnectionOptions } from "./connection-options.ts";
import { type ChannelEvidence, ChannelLink, evidenceOf } from "./channel-link.ts";
import { connectEvents } from "./diagnostics.ts";
import { LackingMethods } from "./lacking-methods.ts";
import { LazySet } from "./lazy-set.ts";
import type { WaitList } from "./wait-list.ts";
import { type Waiter, Waiters } from "./waiters.ts";

/** States of an endpoint's connections, in gRPC's words. */
export type ChannelState = "idle" | "connecting" | "ready" | "transient_failure" | "shutdown";

/** Options of {@link EndpointChannel}. */
export interface EndpointChannelOptions {
  readonly address: string;
  readonly serverName: string | undefined;
  readonly transport: Transport;
  readonly connection: ResolvedConnectionOptions;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly waiting: WaitList;
  /** `failing` or `isLacking` changed. */
  readonly onChange: (channel: EndpointChannel) => void;
  readonly onEvidence: (evidence: ChannelEvidence) => void;
}

/**
 * Least time between two connects when a call has nowhere else to go, in milliseconds. Backoff keeps a client away from a
 * dead server for minutes; the first call after it came back must not pay for that, and still a thousand calls a second
 * make no more than ten connects.
 */
const urgentSpacingMs = 100;
/** Share by which a connection's greatest age is varied either way: clients must not all leave at once. */
const ageJitter = 0.1;

/** The connections to one endpoint: opens them, watches them, comes back after failures. */
export class EndpointChannel {
  readonly address: string;
  readonly #options: EndpointChannelOptions;
  /** Made anew for each: what grows by pushing has room for sixteen, and most endpoints have one. */
  #connections: ClientConnection[] = [];
  /** Out of use, with calls that still run. */
  readonly #leaving = new LazySet<ClientConnection>();
  readonly #waiters: Waiters;
  readonly #connecting: ClientConnection[] = [];
  #state: ChannelState = "idle";
  #failures = 0;
  /** When its first connection last came to stand, and how many in a row did so for a moment only. */
  #readyAtMs = Number.NEGATIVE_INFINITY;
  #shortLived = 0;
  #lastAttemptMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #nextAttemptMs = Number.POSITIVE_INFINITY;
  #load: LoadReport | undefined;
  readonly #lacking: LackingMethods;
  #lastError: RpcError | undefined;
  /** Its last connection was lost, or could not be made, and none stands since: others go first. */
  failing = false;
  /** Calls sent here, for telling idleness without a clock reading per call. */
  callCount = 0;

  constructor(options: EndpointChannelOptions) {
    this.address = options.address;
    this.#options = options;
    this.#waiters = new Waiters(options.waiting);
    this.#lacking = new LackingMethods(options.clock);
  }

  /** The name that its certificate must be for, where that is not the host. */
  get serverName(): string | undefined {
    return this.#options.serverName;
  }

  get state(): ChannelState {
    return this.#state;
  }

  get connectionCount(): number {
    return this.#connections.length;
  }

  get openCalls(): number {
    return callsOn(this.#connections) + callsOn(this.#leaving);
  }

  /** Why the last connect failed. */
  get lastError(): RpcError | undefined {
    return this.#lastError;
  }

  /** A connection on which a call can be started now. Opens one when there is none; then it is undefined. */
  acquire(): ClientConnection | undefined {
    const first = this.#connections[0];
    if (first !== undefined && this.#options.connection.connectionsPerEndpoint === 1 && first.available) return first;
    return this.#acquireSlowly();
  }

  /** The call waits for a connection here: `resume` when there is one, `giveUp` when it could not be made. */
  wait(waiter: Waiter): void {
    if (this.#state === "shutdown") return waiter.giveUp(gone());
    this.#waiters.add(waiter);
    if (this.#state === "transient_failure") this.#hurry();
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** A call has ended: its place on a full connection may be waited for. */
  released(): void {
    if (this.#waiters.size > 0 && this.#connections.some((connection) => connection.available))
      this.#waiters.resumeOne();
  }

  /** Connects now unless it does. */
  connect(): void {
    if (this.#connecting.length === 0 && this.#state !== "shutdown") this.#open();
  }

  #open(): void {
    const { clock, random, limits, transport, connection, serverName } = this.#options;
    this.#disarm();
    if (this.#connections.length === 0) this.#state = "connecting";
    this.#lastAttemptMs = clock.now();
    const link = new ChannelLink(this);
    const options = { clock, random, limits, handler: link, connectTimeoutMs: connection.connectTimeoutMs, serverName };
    const opened = transport.connect(this.address, options);
    link.connection = opened;
    if (opened.state === "closed") return;
    this.#connecting.push(opened);
    // Calls that waited for the attempt can be written for it.
    if (opened.available) this.#waiters.resume();
  }

  /** The server has refused this method as unknown. */
  learnLack(method: Method): void {
    if (this.#lacking.add(method)) this.#options.onChange(this);
  }

  /** Whether it is believed to lack this method. */
  lacks(method: Method): boolean {
    return this.#lacking.has(method);
  }

  /** Whether it lacks any. */
  get isLacking(): boolean {
    return this.#lacking.any;
  }

  /** The latest load report, once. */
  takeLoad(): LoadReport | undefined {
    const load = this.#load;
    this.#load = undefined;
    return load;
  }

  /** Starts no more calls; open ones end, then the connections close. */
  close(): void {
    this.#state = "shutdown";
    this.#disarm();
    const connections = [...this.#connections];
    for (const connection of connections) {
      this.#drop(connection);
      connection.close();
    }
    const connecting = Array.from(this.#connecting);
    for (const connection of connecting) connection.close();
    this.#waiters.giveUp(gone());
  }

  /** Ends everything now. */
  destroy(error: RpcError): void {
    this.#state = "shutdown";
    this.#disarm();
    const connections = [...this.#connections.splice(0), ...this.#leaving, ...this.#connecting.splice(0)];
    for (const connection of connections) connection.destroy(error);
    this.#waiters.giveUp(error);
  }

  // What its links tell it.

  /** @internal */
  linkReady(connection: ClientConnection, link: ChannelLink): void {
    takeOut(this.#connecting, connection);
    if (this.#state === "shutdown") {
      connection.close();
      return;
    }
    if (this.#connections.length === 0) this.#readyAtMs = this.#options.clock.now();
    this.#connections = this.#connections.concat(connection);
    this.#state = "ready";
    this.#failures = 0;
    this.#lastError = undefined;
    this.#superviseAge(connection, link);
    this.#superviseIdleness(connection, link);
    this.#publish("ready");
    const hasChanged = this.failing || this.isLacking;
    this.failing = false;
    this.#lacking.clear();
    if (hasChanged) this.#options.onChange(this);
    this.#waiters.resume();
  }

  /** @internal A connection that was full has room: for how many more, the calls that wait find out one by one. */
  linkRoom(connection: ClientConnection): void {
    this.#waiters.resume(() => connection.available);
  }

  /** @internal */
  linkLoad(load: LoadReport): void {
    this.#load = load;
  }

  /** @internal The server goes away: it may come back at this address, so look at once, and then as after a failure. */
  linkDraining(connection: ClientConnection): void {
    this.#drop(connection);
    if (this.#connections.length === 0 && this.#state !== "shutdown") this.#lost();
  }

  /** @internal */
  linkClosed(connection: ClientConnection | undefined, error: RpcError | undefined): void {
    if (connection === undefined || takeOut(this.#connecting, connection)) {
      if (this.#state !== "shutdown") this.#connectFailed(error);
      return;
    }
    if (this.#leaving.delete(connection) || !this.#drop(connection)) return;
    this.#leaving.delete(connection);
    this.#publish("closed", error);
    if (this.#state === "shutdown" || this.#connections.length > 0) return;
    if (error === undefined) {
      this.#state = "idle";
      if (this.#waiters.size > 0) this.connect();
      return;
    }
    this.#options.onEvidence("reset");
    this.#lost();
  }

  #acquireSlowly(): ClientConnection | undefined {
    if (this.#wantsMore()) this.#open();
    // What is being connected takes calls already, where its transport can hold them.
    return leastBusy(this.#connections) ?? leastBusy(this.#connecting);
  }

  /** Whether the calls that are open, and one more, would do well with another connection; side by side they come then. */
  #wantsMore(): boolean {
    const count = this.#connections.length + this.#connecting.length;
    if (count >= this.#options.connection.connectionsPerEndpoint) return false;
    // After a failure the backoff says when.
    if (this.#state === "shutdown" || this.#state === "transient_failure" || this.#cancelTimer !== undefined)
      return false;
    return count < callsOn(this.#connections) + callsOn(this.#connecting) + this.#waiters.size + 1;
  }

  /**
   * The last connection was lost: come back at once, and let other endpoints go first until that has worked. A server that takes
   * connections and ends them is none to come back to without a pause: the second time in a row that one stood for no longer
   * than the first wait after a failure counts as a failure.
   */
  #lost(): void {
    const { clock, connection, random } = this.#options;
    const nowMs = clock.now();
    this.#shortLived = nowMs - this.#readyAtMs < connection.backoff.baseMs ? this.#shortLived + 1 : 0;
    this.#setFailing();
    this.#state = "idle";
    if (this.#shortLived < 2) return this.connect();
    this.#state = "transient_failure";
    this.#connectAt(nowMs + backoffMs(this.#shortLived - 1, connection.backoff, random));
    if (this.#waiters.size > 0) this.#hurry();
  }

  #connectFailed(error: RpcError | undefined): void {
    const failure = error ?? new RpcError("unavailable", "The connection was closed before it was ready");
    this.#lastError = failure;
    this.#publish("failed", failure);
    this.#options.onEvidence(evidenceOf(failure));
    // Of several made at once the last one tells; another may still stand.
    if (this.#connecting.length > 0) return;
    this.#failures++;
    const { clock, connection, random } = this.#options;
    if (this.#connections.length === 0) {
      this.#state = "transient_failure";
      this.#setFailing();
    }
    this.#connectAt(clock.now() + backoffMs(this.#failures, connection.backoff, random));
    this.#waiters.giveUp(failure);
  }

  #setFailing(): void {
    if (this.failing) return;
    this.failing = true;
    this.#options.onChange(this);
  }

  /** A call has nowhere else to go: the next attempt comes forward. */
  #hurry(): void {
    const atMs = this.#lastAttemptMs + urgentSpacingMs;
    if (atMs < this.#nextAttemptMs) this.#connectAt(atMs);
  }

  #connectAt(atMs: number): void {
    this.#disarm();
    this.#nextAttemptMs = atMs;
    const { clock } = this.#options;
    const delayMs = Math.max(0, atMs - clock.now());
    this.#cancelTimer = clock.after(delayMs, () => this.connect(), { background: true });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#nextAttemptMs = Number.POSITIVE_INFINITY;
  }

  /** Takes a connection out of use. Its calls go on; it closes with the last of them. */
  #drop(connection: ClientConnection): boolean {
    if (!takeOut(this.#connections, connection)) return false;
    this.#leaving.add(connection);
    return true;
  }

  #superviseAge(connection: ClientConnection, link: ChannelLink): void {
    const { clock, random, connection: options } = this.#options;
    if (options.maxAgeMs === Number.POSITIVE_INFINITY) return;
    const ageMs = options.maxAgeMs * (1 + ageJitter * (2 * uniform(random) - 1));
    link.cancelAge = clock.after(ageMs, () => this.#retire(connection), { background: true });
  }

  #superviseIdleness(connection: ClientConnection, link: ChannelLink): void {
    const { clock, connection: options } = this.#options;
    if (options.idleTimeoutMs === Number.POSITIVE_INFINITY) return;
    const seen = this.callCount;
    const check = (): void => {
      if (!this.#connections.includes(connection)) return;
      if (this.callCount === seen && connection.openCalls === 0) this.#retire(connection);
      else this.#superviseIdleness(connection, link);
    };
    link.cancelIdleness = clock.after(options.idleTimeoutMs, check, { background: true });
  }

  /** Closes a connection that is in order: the endpoint is as good as before. */
  #retire(connection: ClientConnection): void {
    if (!this.#drop(connection)) return;
    if (this.#connections.length === 0) this.#state = this.#connecting.length === 0 ? "idle" : "connecting";
    connection.close();
  }

  #publish(event: "ready" | "failed" | "closed", error?: RpcError): void {
    if (connectEvents.hasSubscribers) connectEvents.publish({ address: this.address, event, error });
  }
}

function gone(): RpcError {
  return new RpcError("unavailable", "The endpoint has gone", { handled: "no" });
}

function leastBusy(connections: readonly ClientConnection[]): ClientConnection | undefined {
  let best: ClientConnection | undefined;
  for (const connection of connections) {
    if (connection.available && (best === undefined || connection.openCalls < best.openCalls)) best = connection;
  }
  return best;
}

function callsOn(connections: Iterable<ClientConnection>): number {
  let total = 0;
  for (const connection of connections) total += connection.openCalls;
  return total;
}

/** Whether it was there. */
function takeOut(connections: ClientConnection[], connection: ClientConnection): boolean {
  const index = connections.indexOf(connection);
  if (index >= 0) connections.splice(index, 1);
  return index >= 0;
}
