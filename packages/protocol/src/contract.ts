import type { Infer, InferInput, Input, StandardSchemaV1 } from "@pipit/codec";
import type { CallOptions } from "./call-options.ts";
import type { Context } from "./context.ts";

/** The five kinds of call. */
export type MethodKind = "unary" | "server_stream" | "client_stream" | "bidi" | "oneway";

/**
 * What sending a request twice would mean (law 4).
 *
 * - `none`: it may do harm; never sent again once it may have run. The default.
 * - `safe`: it reads only.
 * - `idempotent`: doing it again changes nothing more.
 * - `once`: the server remembers its reply by a key and answers a second sending from memory. For unary methods.
 */
export type Idempotency = "none" | "safe" | "idempotent" | "once";

/** A declared error's name to the codec of its data. */
export type Errors = Readonly<Record<string, MessageSource>>;

/** What describes a message: a codec of `@pipit/codec`, or any synchronous Standard Schema (Zod, Valibot, ArkType). */
export type MessageSource =
  | { readonly "~types": { readonly output: unknown; readonly input: unknown } }
  | StandardSchemaV1;

/** Options of a method in a contract. */
export interface MethodOptions<E> {
  /** Default `"none"`. */
  readonly idempotency?: Idempotency | undefined;
  /** Errors that the handler may throw with typed data. */
  readonly errors?: E | undefined;
  /** Default deadline of a call, in milliseconds. Default: the client's, which is 10 s. */
  readonly timeoutMs?: number | undefined;
  /**
   * Each side packs what it sends (requests, replies, items of 1 KiB and more; never metadata or errors) where its peer can unpack
   * it. Worth it on slow paths for text that repeats. Not for messages that mix a secret with text of a stranger's choosing: the
   * size would tell of the secret (the attack called BREACH). Default false.
   */
  readonly compress?: boolean | undefined;
}

/** Stands for a codec of values that nothing checks: they travel as CBOR. Only its type exists. */
export interface AnyValue<T> {
  readonly "~types": { readonly output: T; readonly input: Input<T> };
}

/** A method of a contract. Made by {@link unary} and its siblings; {@link service} gives it its names. */
export interface MethodDef<K extends MethodKind, Q, S, E> {
  readonly kind: K;
  /** Full name of the service; empty until `service` took the method in. */
  readonly service: string;
  /** Name in the contract; empty until `service` took the method in. */
  readonly name: string;
  /** Codec or schema of a request; undefined for any value. */
  readonly request: Q | undefined;
  /** Codec or schema of a reply; undefined for any value. */
  readonly response: S | undefined;
  readonly errors: E;
  readonly idempotency: Idempotency;
  readonly timeoutMs: number | undefined;
  readonly compress: boolean;
}

/** Any method, for code that serves all of them. */
export type Method = MethodDef<MethodKind, unknown, unknown, object>;

/** The methods of a contract. */
export type Methods = Readonly<Record<string, Method>>;

/** A contract: plain data that both sides share. */
export interface Service<M extends Methods = Methods> {
  /** Full name, such as `helloworld.Greeter`. */
  readonly name: string;
  readonly methods: M;
}

/** A unary method by the types of its values, for annotating an exported contract. */
export type Unary<Req, Res, E = {}> = MethodDef<"unary", AnyValue<Req>, AnyValue<Res>, ErrorsOf<E>>;
/** A server-streaming method by the types of its values. */
export type ServerStream<Req, Res, E = {}> = MethodDef<"server_stream", AnyValue<Req>, AnyValue<Res>, ErrorsOf<E>>;
/** A client-streaming method by the types of its values. */
export type ClientStream<Req, Res, E = {}> = MethodDef<"client_stream", AnyValue<Req>, AnyValue<Res>, ErrorsOf<E>>;
/** A bidirectional method by the types of its values. */
export type Bidi<Req, Res, E = {}> = MethodDef<"bidi", AnyValue<Req>, AnyValue<Res>, ErrorsOf<E>>;
/** A one-way method by the type of its request. */
export type Oneway<Req> = MethodDef<"oneway", AnyValue<Req>, AnyValue<void>, {}>;
/** Declared errors by the types of their data. */
export type ErrorsOf<E> = { readonly [N in keyof E]: AnyValue<E[N]> };

/** A value, now or later. */
export type Awaitable<T> = T | PromiseLike<T>;
/** What a streaming side produces: anything that can be iterated. */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

interface HandlerOf<Q, S, E> {
  unary(request: Infer<Q>, context: Context<E>): Awaitable<InferInput<S>>;
  server_stream(request: Infer<Q>, context: Context<E>): Items<InferInput<S>>;
  client_stream(requests: AsyncIterable<Infer<Q>>, context: Context<E>): Awaitable<InferInput<S>>;
  bidi(requests: AsyncIterable<Infer<Q>>, context: Context<E>): Items<InferInput<S>>;
  oneway(request: Infer<Q>, context: Context<E>): Awaitable<void>;
}

/** The function that serves a method: `Handler<typeof Greeter.methods.sayHello>`. */
export type Handler<M> = M extends MethodDef<infer K, infer Q, infer S, infer E> ? HandlerOf<Q, S, E>[K] : never;

/** The handlers of a service, each method: `Implementation<typeof Greeter>`. */
export type Implementation<S extends Service> = { readonly [N in keyof S["methods"]]: Handler<S["methods"][N]> };

/** How each kind is called. */
export interface CallOf<Q, S> {
  unary(request: InferInput<Q>, options?: CallOptions): Promise<Infer<S>>;
  server_stream(request: InferInput<Q>, options?: CallOptions): AsyncIterableIterator<Infer<S>>;
  client_stream(requests: Items<InferInput<Q>>, options?: CallOptions): Promise<Infer<S>>;
  bidi(requests: Items<InferInput<Q>>, options?: CallOptions): AsyncIterableIterator<Infer<S>>;
  oneway(request: InferInput<Q>, options?: CallOptions): Promise<void>;
}

type CallOfMethod<M> = M extends MethodDef<infer K, infer Q, infer S, infer _E> ? CallOf<Q, S>[K] : never;

/** The typed proxy of a service: `Client<typeof Greeter>`. */
export type Client<S extends Service> = { readonly [N in keyof S["methods"]]: CallOfMethod<S["methods"][N]> };

/** Builds a method of kind `K`, with codecs or, without any, for values that nothing checks. */
export interface MethodMaker<K extends MethodKind> {
  <Q extends MessageSource, S extends MessageSource, const E extends Errors = {}>(
    request: Q,
    response: S,
    options?: MethodOptions<E>,
  ): MethodDef<K, Q, S, NoInfer<E>>;
  <Req = unknown, Res = unknown>(options?: MethodOptions<{}>): MethodDef<K, AnyValue<Req>, AnyValue<Res>, {}>;
}

/** Builds a one-way method: no reply, no acknowledgement. */
export interface OnewayMaker {
  <Q extends MessageSource>(request: Q, options?: MethodOptions<{}>): MethodDef<"oneway", Q, AnyValue<void>, {}>;
  <Req = unknown>(options?: MethodOptions<{}>): MethodDef<"oneway", AnyValue<Req>, AnyValue<void>, {}>;
}

/** One request, one reply. */
export const unary: MethodMaker<"unary"> = maker("unary");
/** One request, a stream of replies. */
export const serverStream: MethodMaker<"server_stream"> = maker("server_stream");
/** A stream of requests, one reply. */
export const clientStream: MethodMaker<"client_stream"> = maker("client_stream");
/** A stream each way. */
export const bidi: MethodMaker<"bidi"> = maker("bidi");
/** One request and no reply: settles when it is written, and promises no more. */
export const oneway: OnewayMaker = (first?: unknown, options?: MethodOptions<{}>) =>
  isMessageSource(first)
    ? (methodOf("oneway", first, undefined, options) as never)
    : (methodOf("oneway", undefined, undefined, first as MethodOptions<{}> | undefined) as never);

/** Names that would break a plain-object proxy: promises look for `then`, printing for `toJSON`, prototypes for the rest. */
const refusedNames = new Set(["then", "catch", "finally", "constructor", "prototype", "__proto__", "toJSON"]);

/**
 * Builds a contract.
 *
 * @param name full name of the service, such as `helloworld.Greeter`, 1 to 255 characters
 * @throws TypeError for an empty name, a method that is none, or a method name that a proxy cannot have
 */
export function service<const M extends Methods>(name: string, methods: M): Service<M> {
  if (typeof name !== "string" || name.length === 0 || name.length > 255) {
    throw new TypeError(`Service name: expected 1 to 255 characters, got ${JSON.stringify(name)}`);
  }
  const named: Record<string, Method> = Object.create(null) as Record<string, Method>;
  for (const key of Object.keys(methods)) {
    const method = methods[key];
    if (refusedNames.has(key) || key.startsWith("~") || key.length === 0 || key.length > 255) {
      throw new TypeError(`Method name ${JSON.stringify(key)} of service "${name}" cannot be used; choose another`);
    }
    if (typeof method !== "object" || method === null || typeof method.kind !== "string") {
      throw new TypeError(
        `Method "${key}" of service "${name}": expected unary(…), serverStream(…), clientStream(…), bidi(…) or oneway(…)`,
      );
    }
    named[key] = Object.freeze({ ...method, service: name, name: key });
  }
  return Object.freeze({ name, methods: Object.freeze(named) as unknown as M });
}

function maker<K extends MethodKind>(kind: K): MethodMaker<K> {
  return ((first?: unknown, second?: unknown, third?: MethodOptions<object>) =>
    isMessageSource(first)
      ? methodOf(kind, first, second, third)
      : methodOf(kind, undefined, undefined, first as MethodOptions<object> | undefined)) as MethodMaker<K>;
}

function methodOf(kind: MethodKind, request: unknown, response: unknown, options: MethodOptions<object> = {}): Method {
  if (request !== undefined && kind !== "oneway" && !isMessageSource(response)) {
    throw new TypeError(`Reply of a ${kind} method: expected a codec or a Standard Schema, got ${typeof response}`);
  }
  const { idempotency = "none", errors = {}, timeoutMs, compress = false } = options;
  if (!["none", "safe", "idempotent", "once"].includes(idempotency)) {
    throw new TypeError(
      `Option idempotency: expected "none", "safe", "idempotent" or "once", got ${JSON.stringify(idempotency)}`,
    );
  }
  if (idempotency === "once" && kind !== "unary") {
    throw new TypeError(`Option idempotency: expected "once" on a unary method, got ${kind}`);
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new RangeError(`Option timeoutMs: expected more than 0, got ${timeoutMs}`);
  }
  for (const [name, source] of Object.entries(errors)) {
    if (!isMessageSource(source))
      throw new TypeError(`Declared error "${name}": expected a codec or a Standard Schema`);
  }
  return Object.freeze({ kind, service: "", name: "", request, response, errors, idempotency, timeoutMs, compress });
}

function isMessageSource(value: unknown): value is MessageSource {
  // ArkType's schemas are functions.
  return ((typeof value === "object" && value !== null) || typeof value === "function") && "~standard" in value;
}
