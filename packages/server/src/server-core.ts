import {
  type CallAcceptor,
  type Clock,
  DeadlineWheel,
  encodeMessage,
  type IncomingCall,
  type Interceptor,
  isRpcError,
  type LoadReport,
  type Method,
  RpcError,
  type StreamPeer,
  streamsInput,
} from "@pipit/protocol";
import { Admission, type Decision } from "./admission.ts";
import { callEnd, callStart } from "./diagnostics.ts";
import { judgeHandlerError, printHandlerError, tellOnError } from "./handler-error.ts";
import type { HandlerTable } from "./handler-table.ts";
import { isThenable } from "./items.ts";
import { LoopDelayMeter } from "./loop-delay-meter.ts";
import { hex, type ResolvedServerOptions, type ServerOptions } from "./options.ts";
import { memoryReplyStore } from "./memory-reply-store.ts";
import type { ReplyStore } from "./reply-store.ts";
import { QueuedCall } from "./queued-call.ts";
import { methodPath, runCall } from "./run-call.ts";
import { ServerCall } from "./server-call.ts";

/** Counters of a server since it was made. */
export interface ServerCounts {
  started: number;
  failed: number;
  refused: number;
  deadlinesExceeded: number;
}

/** How long one refusal and its `retryAfterMs` are handed out, in milliseconds. */
const refusalLifeMs = 100;

/** Accepts calls and sees them through: what `createServer` puts behind its listeners. */
export class ServerCore implements CallAcceptor {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly table: HandlerTable;
  readonly interceptors: Interceptor[] = [];
  readonly counts: ServerCounts = { started: 0, failed: 0, refused: 0, deadlinesExceeded: 0 };
  readonly authenticate?: (peer: StreamPeer) => unknown;
  readonly options: ServerOptions;
  readonly replyStore: ReplyStore;
  readonly resolved: ResolvedServerOptions;
  readonly #admission: Admission<QueuedCall>;
  readonly #delay: LoopDelayMeter;
  readonly #refusals = new Map<string, { readonly error: RpcError; readonly untilMs: number }>();
  /** Serving, as `/readyz` tells it. */
  accepting = true;

  constructor(table: HandlerTable, options: ServerOptions, resolved: ResolvedServerOptions) {
    this.table = table;
    this.options = options;
    this.resolved = resolved;
    this.replyStore = options.replyStore ?? memoryReplyStore({ clock: resolved.clock });
    this.clock = resolved.clock;
    this.wheel = new DeadlineWheel({ clock: resolved.clock });
    this.#delay = new LoopDelayMeter(resolved.clock);
    if (options.authenticate !== undefined) this.authenticate = options.authenticate;
    this.#admission = new Admission<QueuedCall>({
      maxConcurrentCalls: resolved.maxConcurrentCalls,
      maxQueuedCalls: resolved.maxQueuedCalls,
      maxQueueWaitMs: resolved.maxQueueWaitMs,
      now: () => resolved.clock.now(),
      onAdmitted: (queued) => this.#admit(queued.leave()),
      onEvicted: (queued) =>
        this.#refuse(queued.leave(), "it gave way to a call that matters more, or of a caller with fewer"),
    });
  }

  get inFlight(): number {
    return this.#admission.running;
  }

  get queued(): number {
    return this.#admission.queued;
  }

  lookup(service: string, method: string): Method | undefined {
    return this.table.lookup(service, method);
  }

  ready(): boolean {
    return this.accepting;
  }

  load(): LoadReport {
    return { eventLoopDelayMs: this.#delay.meanMs(), inFlight: this.#admission.running + this.#admission.queued };
  }

  onCall(incoming: IncomingCall): void {
    this.counts.started++;
    const entry = this.table.entryOf(incoming.method);
    if (entry === undefined) return failUnknown(incoming);
    const call = new ServerCall(this, incoming, entry);
    if (callStart.hasSubscribers) publishStart(call);
    if (streamsInput(entry.method)) {
      // Items may come before the handler starts; their number is bounded by the stream's credit.
      call.openRequests();
      call.watch();
    }
    if (this.#admission.tryRun(incoming.source)) this.#admit(call);
    else this.#queue(call);
  }

  /** The handler has ended: its place is free. */
  release(call: ServerCall): void {
    if (callEnd.hasSubscribers) publishEnd(call);
    if (call.failedWith !== undefined) this.counts.failed++;
    this.#admission.free(call.incoming.source);
  }

  countDeadline(): void {
    this.counts.deadlinesExceeded++;
  }

  createId(): string {
    return hex(this.resolved.random.bytes(8));
  }

  /** What a handler's throw is to the caller; unexpected ones are reported. */
  judge(call: ServerCall, thrown: unknown): RpcError {
    const { reply, unexpected, id } = judgeHandlerError(sendable(call, thrown), () => this.createId());
    // A handler that threw because its call had been given up is no news.
    if (unexpected && call.cancelled === undefined) this.reportError(call, thrown, id);
    return reply;
  }

  reportError(call: ServerCall, error: unknown, id: string): void {
    const { onError } = this.options;
    if (onError === undefined) printHandlerError(error, methodPath(call.method), id);
    else tellOnError(onError, error, { method: call.method, id, peer: call.peer });
  }

  #admit(call: ServerCall): void {
    const { authorize } = this.options;
    if (authorize === undefined) runCall(call);
    else this.#authorize(call, authorize);
  }

  #authorize(call: ServerCall, authorize: NonNullable<ServerOptions["authorize"]>): void {
    let allowed: unknown;
    try {
      allowed = authorize(call.method, call.incoming.identity, call.metadata);
    } catch (error) {
      this.#deny(call, error);
      return;
    }
    if (!isThenable(allowed)) {
      this.#runIf(call, allowed);
      return;
    }
    call.watch();
    allowed.then(
      (answer) => this.#runIf(call, answer),
      (error: unknown) => this.#deny(call, error),
    );
  }

  #runIf(call: ServerCall, allowed: unknown): void {
    if (allowed === false) {
      this.#deny(call, new RpcError("permission_denied", `Not allowed to call ${methodPath(call.method)}`));
    } else runCall(call);
  }

  #deny(call: ServerCall, error: unknown): void {
    call.fail(isRpcError(error) ? error : this.judge(call, error));
    this.release(call);
  }

  #queue(call: ServerCall): void {
    const queued = new QueuedCall(call, (gone) => this.#leaveQueue(gone));
    const decision: Decision = this.#admission.enter(queued);
    if (decision === "wait") queued.wait();
    else if (decision === "run") this.#admit(call);
    else this.#refuse(call, decision === "full" ? "its queue is full" : "the wait would be longer than the time left");
  }

  /** A waiting call was cancelled, or waited as long as it may. */
  #leaveQueue(queued: QueuedCall): void {
    this.#admission.leave(queued);
    if (queued.call.open) this.#refuse(queued.call, "the wait for a place took too long");
    else if (callEnd.hasSubscribers) publishEnd(queued.call);
  }

  #refuse(call: ServerCall, why: string): void {
    this.counts.refused++;
    call.refuse(this.#refusal(why));
    if (callEnd.hasSubscribers) publishEnd(call);
  }

  /** One error per reason and a while: under overload a stack trace per refused call would be the heaviest work of all. */
  #refusal(why: string): RpcError {
    const nowMs = this.clock.now();
    const known = this.#refusals.get(why);
    if (known !== undefined && nowMs < known.untilMs) return known.error;
    const retryAfterMs = this.#admission.retryAfterMs();
    const error = new RpcError("resource_exhausted", `The server is at its limit of calls: ${why}`, { retryAfterMs });
    this.#refusals.set(why, { error, untilMs: nowMs + refusalLifeMs });
    return error;
  }
}

function publishStart(call: ServerCall): void {
  callStart.publish({ method: call.method, peer: call.peer, attempt: call.attempt });
}

function publishEnd(call: ServerCall): void {
  callEnd.publish({ method: call.method, peer: call.peer, attempt: call.attempt, code: call.failedWith });
}

function failUnknown(incoming: IncomingCall): void {
  incoming.fail(new RpcError("unimplemented", `No method ${methodPath(incoming.method)} here`), undefined, 0);
}

/** A declared error whose data are not what the contract says is a bug of the handler, not an answer. */
function sendable(call: ServerCall, thrown: unknown): unknown {
  if (!isRpcError(thrown) || thrown.error === undefined || !Object.hasOwn(call.method.errors, thrown.error))
    return thrown;
  try {
    encodeMessage(call.method, { error: thrown.error }, thrown.data);
    return thrown;
  } catch (error) {
    return new Error(`Data of the declared error "${thrown.error}" do not encode`, { cause: error });
  }
}
