import type { Decoder, Reader } from "@pipit/codec";
import type { Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import type { ServerIdentity } from "../transport.ts";
import {
  type BindFrame,
  describeType,
  readReplyDescriptions,
  type TypeDescription,
  writeBind,
} from "./binding-frames.ts";
import { readByte, readVarint } from "./bytes.ts";
import { ForeignSchemas } from "./foreign-schemas.ts";
import type { SessionLimits } from "./limits.ts";
import { type MessageType, type MethodTypes, typesOf } from "./message-type.ts";
import type { Output } from "./output.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { resolveAtClient } from "./resolve-types.ts";
import { BindResult, FrameType } from "./wire.ts";

/** Remembers across connections which methods a server declares just as we do, so that fingerprints suffice. */
export interface ConfirmedMethods {
  has(server: string, method: Method): boolean;
  add(server: string, method: Method): void;
  delete(server: string, method: Method): void;
}

/** A method as its client has bound it on a connection. */
export interface ClientBinding {
  readonly number: number;
  readonly method: Method;
  readonly types: MethodTypes;
  response: Decoder<unknown>;
  errors: ReadonlyMap<string, Decoder<unknown>>;
  /** Set when the server's answer cannot be used. */
  refusal: RpcError | undefined;
}

const noErrors: ReadonlyMap<string, Decoder<unknown>> = new Map();

/** The methods that a client has bound on a connection: each once, on its first call (wire protocol, section "Binding"). */
export class ClientBindings {
  readonly #output: Output;
  readonly #maxBindings: number;
  readonly #foreignSchemas: ForeignSchemas;
  readonly #confirmed: ConfirmedMethods;
  readonly #byMethod = new Map<Method, ClientBinding>();
  /** Made anew for each: what grows by pushing has room for sixteen, and most connections bind few. */
  #byNumber: readonly ClientBinding[] = [];
  /** The one used last: calls of one method come in runs. */
  #last: ClientBinding | undefined;
  /** Stands for the server among those that have confirmed methods, once it has said who it is. */
  #server: string | undefined;

  constructor(output: Output, limits: SessionLimits, confirmed: ConfirmedMethods) {
    this.#output = output;
    this.#maxBindings = limits.maxBindings;
    this.#foreignSchemas = new ForeignSchemas(limits.maxForeignSchemaBytes);
    this.#confirmed = confirmed;
  }

  /** The server has said who it is. */
  onIdentity({ id, generation }: ServerIdentity): void {
    if (id !== "") this.#server = `${id} ${generation}`;
  }

  /** The binding of a method; its frame goes ahead where this is its first use. @throws RpcError when there are too many */
  of(method: Method): ClientBinding {
    const last = this.#last;
    if (last?.method === method) return last;
    return (this.#last = this.#byMethod.get(method) ?? this.#bind(method));
  }

  /** The server answers a binding. @throws ProtocolFault */
  onBound(reader: Reader): void {
    const binding = this.#byNumber[readVarint(reader)];
    if (binding === undefined) throw new ProtocolFault("Answer to a binding that was not asked for");
    const result = readByte(reader);
    if (result === BindResult.schemas) this.#resolve(binding, reader);
    else if (result === BindResult.same) this.#confirm(binding.method);
    else if (result === BindResult.unknownFingerprint) this.#forget(binding.method);
    else if (result !== BindResult.refused) throw new ProtocolFault(`Answer ${result} to a binding is unknown`);
  }

  #bind(method: Method): ClientBinding {
    const number = this.#byNumber.length;
    if (number >= this.#maxBindings) {
      throw new RpcError("resource_exhausted", `More than ${this.#maxBindings} methods on one connection`, {
        handled: "no",
      });
    }
    const types = typesOf(method);
    const isKnown = this.#server !== undefined && this.#confirmed.has(this.#server, method);
    const describe = (type: MessageType): TypeDescription => describeType(type, isKnown);
    const frame: BindFrame = {
      number,
      service: method.service,
      method: method.name,
      kind: method.kind,
      request: describe(types.request),
      response: describe(types.response),
      errors: new Map([...types.errors].map(([name, type]) => [name, describe(type)])),
    };
    const start = this.#output.begin(FrameType.bind, 0);
    writeBind(this.#output.writer, frame);
    this.#output.end(start);
    const errors =
      types.errors.size === 0
        ? noErrors
        : new Map([...types.errors].map(([name, type]) => [name, type.codec as Decoder<unknown>]));
    const binding: ClientBinding = {
      number,
      method,
      types,
      response: types.response.codec,
      errors,
      refusal: undefined,
    };
    this.#byMethod.set(method, binding);
    this.#byNumber = this.#byNumber.concat(binding);
    return binding;
  }

  /** The server declares the method in another way: its replies are read so from here on. */
  #resolve(binding: ClientBinding, reader: Reader): void {
    try {
      const theirs = readReplyDescriptions(reader);
      this.#foreignSchemas.take(binding.method, theirs);
      const { response, errors } = resolveAtClient(binding.method, theirs);
      binding.response = response;
      binding.errors = errors;
    } catch (error) {
      if (error instanceof ProtocolFault) throw error;
      binding.refusal = RpcError.from(error, "failed_precondition");
    }
  }

  #confirm(method: Method): void {
    if (this.#server !== undefined) this.#confirmed.add(this.#server, method);
  }

  /** The calls that used the binding are refused one by one; the next one binds in full. */
  #forget(method: Method): void {
    if (this.#server !== undefined) this.#confirmed.delete(this.#server, method);
    this.#byMethod.delete(method);
    this.#last = undefined;
  }
}
