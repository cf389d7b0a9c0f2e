import {
  any,
  type Codec,
  CodecError,
  type Decoder,
  fingerprintOf,
  type Reader,
  type Schema,
  type StandardIssue,
  type StandardSchemaV1,
} from "@pipit/codec";
import type { MessageSource, Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";

/** How one direction of a method turns values into bytes and back, as this side declares it. */
export interface MessageType {
  readonly codec: Codec<unknown, unknown>;
  /** What the peer is told about it; undefined when any value goes. */
  readonly schema: Schema | undefined;
  /** Stands for the schema among those that this process declared; undefined like it. */
  readonly fingerprint: string | undefined;
  /** Size of the last message of this type that was encoded as a long one; 0 before there was any. */
  longBytes: number;
  /** Checks a decoded value and gives what the receiver sees. Only where the contract has a Standard Schema. */
  readonly validate: ((value: unknown) => unknown) | undefined;
}

/** The message types of a method, made once per method. */
export interface MethodTypes {
  readonly request: MessageType;
  readonly response: MessageType;
  readonly errors: ReadonlyMap<string, MessageType>;
}

const known = new WeakMap<Method, MethodTypes>();

/** What `method` sends and receives. Codecs compile on first use, not here. */
export function typesOf(method: Method): MethodTypes {
  let types = known.get(method);
  if (types === undefined) {
    types = {
      request: messageType(method.request as MessageSource | undefined),
      response: messageType(method.response as MessageSource | undefined),
      errors: new Map(
        Object.entries(method.errors).map(([name, source]) => [name, messageType(source as MessageSource)]),
      ),
    };
    known.set(method, types);
  }
  return types;
}

/** A type that is a codec. A class, since objects with getters of their own are slow to read everything from. */
class CodecType implements MessageType {
  readonly codec: Codec<unknown, unknown>;
  longBytes = 0;
  readonly validate = undefined;
  #fingerprint: string | undefined;

  constructor(codec: Codec<unknown, unknown>) {
    this.codec = codec;
  }

  /** Read on first use: struct's getters and `lazy` may refer to what is declared later. */
  get schema(): Schema | undefined {
    return this.codec.schema;
  }

  get fingerprint(): string {
    return (this.#fingerprint ??= fingerprintOf(this.codec));
  }
}

const anyType = { codec: any, schema: undefined, fingerprint: undefined, validate: undefined };

function messageType(source: MessageSource | undefined): MessageType {
  if (source === undefined) return { ...anyType, longBytes: 0 };
  if (isCodec(source)) return new CodecType(source);
  return { ...anyType, longBytes: 0, validate: (value) => validated(source as StandardSchemaV1, value) };
}

function isCodec(source: MessageSource): source is Codec<unknown, unknown> & MessageSource {
  return "decodeFrom" in source && "encodeTo" in source;
}

function validated(schema: StandardSchemaV1, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new RpcError("internal", "The schema validates asynchronously; a method needs a synchronous one");
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path }) => `${pathText(path)}: ${message}`);
  throw new RpcError("invalid_argument", issues.slice(0, 8).join("; "));
}

function pathText(path: StandardIssue["path"]): string {
  return (path ?? []).reduce<string>((text, part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`;
  }, "$");
}

/** Shorter messages are copied without asking. */
const leastViewBytes = 4096;
const asView = { views: true } as const;

/** Whether a message of nothing but bytes fills its buffer, so that a view on it holds no more memory than a copy would. */
function ownsBuffer(type: MessageType, { bytes, pos, end }: Reader): boolean {
  const size = end - pos;
  return size >= leastViewBytes && type.schema === "bytes" && size * 16 >= bytes.buffer.byteLength * 15;
}

/**
 * Reads the one message that fills the reader's window.
 *
 * @throws RpcError `code` naming the place
 */
export function decodeMessage(
  decoder: Decoder<unknown>,
  type: MessageType,
  reader: Reader,
  code: "invalid_argument" | "internal",
  what: string,
): unknown {
  try {
    const value = decoder.decodeFrom(reader, ownsBuffer(type, reader) ? asView : undefined);
    return type.validate === undefined ? value : type.validate(value);
  } catch (error) {
    throw notDecoded(error, code, what);
  }
}

function notDecoded(error: unknown, code: "invalid_argument" | "internal", what: string): RpcError {
  const isTold = error instanceof CodecError || error instanceof RpcError;
  return isTold
    ? new RpcError(code, `${what} ${error.message}`, { cause: error })
    : new RpcError("internal", `${what} could not be validated`, { cause: error });
}
