/*
 * Compiled with the repository, never run: what must not compile has an expected error, what must be inferred is compared
 * exactly.
 */
import {
  bidi,
  type Client,
  clientStream,
  createClient,
  createServer,
  type Handler,
  type Implementation,
  type Infer,
  isRpcError,
  oneway,
  serverStream,
  service,
  string,
  struct,
  u32,
  unary,
} from "pipit";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

const Ask = struct({ name: string });
const Answer = struct({ message: string });
const Greeter = service("types.Greeter", {
  hello: unary(Ask, Answer, { errors: { notFound: struct({ id: u32 }), closed: struct({ until: string }) } }),
  plain: unary(Ask, Answer),
  watch: serverStream(Ask, Answer),
  join: clientStream(Ask, Answer),
  chat: bidi(Ask, Answer),
  note: oneway(Ask),
  loose: unary<{ n: number }, { doubled: number }>(),
});
const server = createServer();
const client = createClient({ target: "127.0.0.1:1" });
const greeter = client.service(Greeter);

// What a caller sees.
export async function calls(): Promise<void> {
  const reply = await greeter.hello({ name: "a" });
  same<typeof reply, { message: string }>(true);
  const direct = await client.call(Greeter.methods.hello, { name: "a" }, { timeoutMs: 5 });
  same<typeof direct, { message: string }>(true);
  for await (const item of greeter.watch({ name: "a" })) same<typeof item, { message: string }>(true);
  same<Awaited<ReturnType<typeof greeter.join>>, { message: string }>(true);
  same<Awaited<ReturnType<typeof greeter.note>>, void>(true);
  const loose = await greeter.loose({ n: 1 });
  same<typeof loose, { doubled: number }>(true);
  const frozen: readonly { readonly name: string }[] = [{ name: "a" }];
  await greeter.join(frozen);
  // @ts-expect-error a field is missing
  await greeter.hello({});
  // @ts-expect-error a field is of another type
  await greeter.hello({ name: 1 });
  // @ts-expect-error there is no such method
  await greeter.helo({ name: "a" });
  // @ts-expect-error there is no such option
  await greeter.hello({ name: "a" }, { timeout: 5 });
  // @ts-expect-error a stream of requests is asked for
  await greeter.join({ name: "a" });
  // @ts-expect-error a stream of replies is no promise
  void greeter.watch({ name: "a" }).then(() => {});
  // @ts-expect-error the direct form checks its request, too
  await client.call(Greeter.methods.hello, { nme: "a" });
}

// Declared errors.
export function errors(error: unknown): string {
  if (!isRpcError(error, Greeter.methods.hello)) return "";
  if (error.error === "notFound") {
    same<typeof error.data, { id: number }>(true);
    return String(error.data.id);
  }
  same<typeof error.error, "closed">(true);
  return error.data.until;
}

// Handlers.
const hello: Handler<typeof Greeter.methods.hello> = ({ name }, context) => {
  if (name === "") throw context.error("notFound", { id: 1 });
  // @ts-expect-error no such error is declared
  if (name === "x") throw context.error("missing", { id: 1 });
  // @ts-expect-error its data are of another shape
  if (name === "y") throw context.error("notFound", { until: "x" });
  return { message: name };
};
const whole: Implementation<typeof Greeter> = {
  hello,
  plain: async ({ name }, context) => {
    // @ts-expect-error a method without declared errors has none to throw
    if (name === "") throw context.error("anything", {});
    return { message: name };
  },
  *watch({ name }) {
    yield { message: name };
  },
  async join(requests) {
    let message = "";
    for await (const { name } of requests) message += name;
    return { message };
  },
  async *chat(requests) {
    for await (const { name } of requests) yield { message: name };
  },
  note: () => undefined,
  loose: ({ n }) => ({ doubled: 2 * n }),
};
server.handle(Greeter, whole);
const { hello: _hello, ...lacking } = whole;
// @ts-expect-error a method is missing
server.handle(Greeter, lacking);
// @ts-expect-error a handler too many
server.handle(Greeter, { ...whole, wave: () => undefined });
// @ts-expect-error one reply, not a stream of them
server.handle(Greeter, { ...whole, plain: () => [{ message: "a" }] });
// @ts-expect-error a stream of replies, not one
server.handle(Greeter, { ...whole, watch: () => ({ message: "a" }) });
// @ts-expect-error the reply's field is of another type
server.handle(Greeter, { ...whole, plain: () => ({ message: 1 }) });

class Service
  implements Implementation<Pick<typeof Greeter, "name"> & { methods: Pick<typeof Greeter.methods, "plain"> }>
{
  plain({ name }: Infer<typeof Ask>): { message: string } {
    return { message: name };
  }
}
export const instance: Service = new Service();
export const typed: Client<typeof Greeter> = greeter;

client.service(Greeter, { retry: { baseMs: 5 }, methods: { plain: { breaker: { failures: 2 }, hedge: false } } });
// @ts-expect-error it has no such method
client.service(Greeter, { methods: { plian: { timeoutMs: 5 } } });
// @ts-expect-error there is no such option
client.service(Greeter, { methods: { plain: { timeout: 5 } } });
// @ts-expect-error connections belong to the client
client.service(Greeter, { connection: {} });
