import type { Decoder, Reader } from "@pipit/codec";
import type { Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import type { CallAcceptor } from "../transport.ts";
import { readBind, writeReplyDescriptions } from "./binding-frames.ts";
import { writeByte, writeVarint } from "./bytes.ts";
import { writeFailure } from "./failure-frame.ts";
import { ForeignSchemas } from "./foreign-schemas.ts";
import type { SessionLimits } from "./limits.ts";
import { type MethodTypes, typesOf } from "./message-type.ts";
import type { Output } from "./output.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { resolveAtServer, UnknownFingerprint } from "./resolve-types.ts";
import { BindResult, FrameType } from "./wire.ts";

/** A method as its server serves it on a connection. */
export interface ServerBinding {
  readonly refusal: undefined;
  readonly method: Method;
  readonly types: MethodTypes;
  readonly requestDecoder: Decoder<unknown>;
}

/** Why a method as bound on a connection cannot be called. */
export interface RefusedBinding {
  readonly refusal: RpcError;
}

/** The methods that a client has bound on a connection, as the server answered (wire protocol, section "Binding"). */
export class ServerBindings {
  /** Why no more calls are taken on this connection, once none are; what is bound from then on is refused. */
  leaving: RpcError | undefined = undefined;
  readonly #output: Output;
  readonly #acceptor: CallAcceptor;
  readonly #maxBindings: number;
  readonly #foreignSchemas: ForeignSchemas;
  readonly #byNumber = new Map<number, ServerBinding | RefusedBinding>();
  /** The one used last, and its number: calls of one method come in runs. */
  #last: ServerBinding | RefusedBinding | undefined;
  #lastNumber = -1;

  constructor(output: Output, limits: SessionLimits, acceptor: CallAcceptor) {
    this.#output = output;
    this.#acceptor = acceptor;
    this.#maxBindings = limits.maxBindings;
    this.#foreignSchemas = new ForeignSchemas(limits.maxForeignSchemaBytes);
  }

  /** The binding with this number. @throws ProtocolFault when there is none */
  of(number: number): ServerBinding | RefusedBinding {
    if (number === this.#lastNumber && this.#last !== undefined) return this.#last;
    const binding = this.#byNumber.get(number);
    if (binding === undefined) throw new ProtocolFault("Call of a method that was not bound");
    this.#lastNumber = number;
    this.#last = binding;
    return binding;
  }

  /** The client binds a method: checks both directions and answers. @throws ProtocolFault */
  onBind(reader: Reader): void {
    const frame = readBind(reader);
    const { number } = frame;
    if (this.#byNumber.size >= this.#maxBindings)
      throw new ProtocolFault(`More than ${this.#maxBindings} methods bound`);
    if (this.#byNumber.has(number)) throw new ProtocolFault(`Binding ${number} made twice`);
    const method = this.#acceptor.lookup(frame.service, frame.method);
    const start = this.#output.begin(FrameType.bound, 0);
    const { writer } = this.#output;
    writeVarint(writer, number);
    try {
      // The peer of a connection that was never taken is not known: it learns no schema.
      if (this.leaving !== undefined) throw this.leaving;
      if (method === undefined)
        throw new RpcError("unimplemented", `No method ${frame.service}/${frame.method} here`, { handled: "no" });
      this.#foreignSchemas.take(method, frame);
      const { requestDecoder, tell } = resolveAtServer(method, frame);
      this.#byNumber.set(number, { refusal: undefined, method, types: typesOf(method), requestDecoder });
      writeByte(writer, tell === undefined ? BindResult.same : BindResult.schemas);
      if (tell !== undefined) writeReplyDescriptions(writer, tell);
    } catch (error) {
      const isUnknown = error instanceof UnknownFingerprint;
      const refusal = isUnknown
        ? new RpcError("unavailable", "Bind the method again with its schemas")
        : RpcError.from(error);
      this.#byNumber.set(number, { refusal });
      writeByte(writer, isUnknown ? BindResult.unknownFingerprint : BindResult.refused);
      if (!isUnknown) writeFailure(writer, { error: refusal, data: undefined, trailers: undefined, retriesUsed: 0 });
    }
    this.#output.end(start);
  }
}
