import { RpcError, type Method, type Service, type Unary, service, unary } from "@pipit/protocol";
import type { HandlerTable } from "./handler-table.ts";
import type { ServerOptions } from "./options.ts";

/** What {@link Health} answers. */
export interface HealthReply {
  readonly status: "serving" | "draining";
  /** Full names of the services here. */
  readonly services: readonly string[];
}

/** A method as {@link Reflection} shows it. */
export interface MethodDescription {
  readonly name: string;
  readonly kind: string;
  readonly idempotency: string;
  /** Schema of the request; absent where any value goes or a Standard Schema checks it. */
  readonly request?: unknown;
  readonly response?: unknown;
  /** Declared errors by name, each with the schema of its data. */
  readonly errors: Readonly<Record<string, unknown>>;
}

/** A service as {@link Reflection} shows it. */
export interface ServiceDescription {
  readonly name: string;
  readonly methods: readonly MethodDescription[];
}

/** Whether a server takes calls. On every server unless switched off; for those who have only plain HTTP there is `GET /readyz`. */
export const Health: Service<{ readonly check: Unary<{ readonly service?: string | undefined }, HealthReply> }> =
  service("pipit.Health", {
    check: unary<{ readonly service?: string | undefined }, HealthReply>({ idempotency: "safe" }),
  });

/** What a server serves, with schemas: for tools. On servers made with `reflection: true`; `authorize` guards it like any other. */
export const Reflection: Service<{ readonly list: Unary<{}, { readonly services: readonly ServiceDescription[] }> }> =
  service("pipit.Reflection", {
    list: unary<{}, { readonly services: readonly ServiceDescription[] }>({ idempotency: "safe" }),
  });

/** Adds the built-in services to a server's table. */
export function addBuiltIns(table: HandlerTable, options: ServerOptions, accepting: () => boolean): void {
  const { health = true, reflection = false } = options;
  if (health) addHealth(table, accepting);
  if (reflection) table.add(Reflection, { list: () => ({ services: userServices(table).map(describeService) }) });
}

function addHealth(table: HandlerTable, accepting: () => boolean): void {
  table.add(Health, {
    check({ service: name }: { readonly service?: string | undefined }): HealthReply {
      const services = userServices(table).map((contract) => contract.name);
      if (name !== undefined && !services.includes(name)) throw new RpcError("not_found", `No service "${name}" here`);
      return { status: accepting() ? "serving" : "draining", services };
    },
  });
}

/** The services that the user added: what is announced, listed and described. */
export function userServices(table: HandlerTable): readonly Service[] {
  return table.contracts.filter((contract) => contract !== (Health as Service) && contract !== (Reflection as Service));
}

function describeService({ name, methods }: Service): ServiceDescription {
  return { name, methods: Object.values(methods).map(describeMethod) };
}

function describeMethod({ name, kind, idempotency, request, response, errors }: Method): MethodDescription {
  return {
    name,
    kind,
    idempotency,
    ...schemaOf("request", request),
    ...schemaOf("response", response),
    errors: Object.fromEntries(Object.entries(errors).map(([error, source]) => [error, schemaOf("data", source)])),
  };
}

function schemaOf(key: string, source: unknown): Record<string, unknown> {
  const schema = (source as { readonly schema?: unknown } | undefined)?.schema;
  return schema === undefined ? {} : { [key]: schema };
}
