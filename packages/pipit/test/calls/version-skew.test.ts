import assert from "node:assert/strict";
import {
  array,
  enumeration,
  f64,
  isRpcError,
  type MessageSource,
  nullable,
  optional,
  service,
  string,
  struct,
  u16,
  u32,
  u64,
  u8,
  unary,
  union,
} from "pipit";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

/** One change of a message, and what each version sends. */
interface Change {
  readonly title: string;
  readonly before: MessageSource;
  readonly after: MessageSource;
  /** What a peer with `before` sends, and what one with `after` then sees; absent: it is refused, in these words. */
  readonly forward: Passage;
  /** The reverse: `after` sends, `before` reads. */
  readonly backward: Passage;
}

type Passage =
  | { readonly sent: unknown; readonly seen: unknown }
  | { readonly sent: unknown; readonly refused: RegExp };

const red = { colour: "red" };
const circle = { shape: { type: "circle", value: { r: 1 } } };
const unknownShape = { shape: { type: "unknown", value: null } };

/* The rows of docs/upgrading.md, in its order. */
const changes: readonly Change[] = [
  {
    title: "an optional field is added (or, read backward, removed)",
    before: struct({ id: string }),
    after: struct({ id: string, note: optional(string) }),
    forward: { sent: { id: "a" }, seen: { id: "a" } },
    backward: { sent: { id: "a", note: "b" }, seen: { id: "a" } },
  },
  {
    title: "an optional field with a default is added",
    before: struct({ id: string }),
    after: struct({ id: string, count: optional(u32, { default: 7 }) }),
    forward: { sent: { id: "a" }, seen: { id: "a", count: 7 } },
    backward: { sent: { id: "a", count: 3 }, seen: { id: "a" } },
  },
  {
    title: "a required field is added (or, read backward, removed)",
    before: struct({ id: string }),
    after: struct({ id: string, age: u32 }),
    forward: { sent: { id: "a" }, refused: /age/ },
    backward: { sent: { id: "a", age: 3 }, seen: { id: "a" } },
  },
  {
    title: "fields change places",
    before: struct({ a: string, b: u32 }),
    after: struct({ b: u32, a: string }),
    forward: { sent: { a: "x", b: 1 }, seen: { a: "x", b: 1 } },
    backward: { sent: { a: "x", b: 1 }, seen: { a: "x", b: 1 } },
  },
  {
    title: "a field is renamed, with its old name as an alias",
    before: struct({ name: string }),
    after: struct({ fullName: string }, { aliases: { fullName: ["name"] } }),
    forward: { sent: { name: "a" }, seen: { fullName: "a" } },
    backward: { sent: { fullName: "a" }, refused: /name/ },
  },
  {
    title: "a number is widened",
    before: struct({ n: u8, m: u32, k: u32 }),
    after: struct({ n: u16, m: u64, k: f64 }),
    forward: { sent: { n: 1, m: 2, k: 3 }, seen: { n: 1, m: 2n, k: 3 } },
    backward: { sent: { n: 1, m: 2n, k: 3 }, refused: /\bn\b.*u16.*u8|u16/ },
  },
  {
    title: "an enumeration with a fallback grows",
    before: struct({ colour: enumeration(["red", "other"], { fallback: "other" }) }),
    after: struct({ colour: enumeration(["red", "other", "blue"], { fallback: "other" }) }),
    forward: { sent: red, seen: red },
    backward: { sent: { colour: "blue" }, seen: { colour: "other" } },
  },
  {
    title: "a union with a fallback grows",
    before: struct({
      shape: union(
        { circle: struct({ r: u8 }), unknown: nullable(u8) },
        { fallback: { type: "unknown", value: null } },
      ),
    }),
    after: struct({
      shape: union(
        { circle: struct({ r: u8 }), unknown: nullable(u8), square: struct({ a: u8 }) },
        { fallback: { type: "unknown", value: null } },
      ),
    }),
    forward: { sent: circle, seen: circle },
    backward: { sent: { shape: { type: "square", value: { a: 2 } } }, seen: unknownShape },
  },
  {
    title: "an enumeration without a fallback grows",
    before: struct({ colour: enumeration(["red"]) }),
    after: struct({ colour: enumeration(["red", "blue"]) }),
    forward: { sent: red, seen: red },
    backward: { sent: red, refused: /colour/ },
  },
  {
    title: "a type becomes another, inside a list",
    before: struct({ orders: array(struct({ price: string })) }),
    after: struct({ orders: array(struct({ price: f64 })) }),
    forward: { sent: { orders: [{ price: "1" }] }, refused: /orders\[\]\.price: writer has string, reader wants f64/ },
    backward: { sent: { orders: [{ price: 1 }] }, refused: /orders\[\]\.price: writer has f64, reader wants string/ },
  },
];

const Fine = unary(struct({ name: string }), struct({ text: string }));

holdsEverywhere((it) => {
  for (const { title, before, after, forward, backward } of changes) {
    const ways = [
      {
        way: "old client, new server, in the request",
        client: before,
        server: after,
        passage: forward,
        isReply: false,
      },
      {
        way: "new client, old server, in the request",
        client: after,
        server: before,
        passage: backward,
        isReply: false,
      },
      { way: "old client, new server, in the reply", client: before, server: after, passage: backward, isReply: true },
      { way: "new client, old server, in the reply", client: after, server: before, passage: forward, isReply: true },
    ];
    for (const { way, client: atClient, server: atServer, passage, isReply } of ways) {
      it(`${title}: ${way}`, async (world) => {
        let seen: unknown = "nothing";
        const method = (message: MessageSource) => (isReply ? unary(struct({}), message) : unary(message, struct({})));
        const OfServer = service("skew.S", { call: method(atServer), fine: Fine });
        const OfClient = service("skew.S", { call: method(atClient), fine: Fine });
        const server = world.server().handle(OfServer, {
          call(given: unknown) {
            seen = given;
            return isReply ? passage.sent : {};
          },
          fine: ({ name }: { name: string }) => ({ text: name }),
        });
        const client = world.client(await world.listen(server));
        const request = isReply ? {} : passage.sent;
        const call = client.call(OfClient.methods.call, request);
        if ("refused" in passage) {
          const error = await world.run(failure(call));
          assert.deepEqual([error.code, error.handled, seen], ["failed_precondition", "no", "nothing"]);
          assert.match(error.message, passage.refused);
        } else {
          const reply = await world.run(call);
          assert.deepEqual(isReply ? reply : seen, passage.seen);
        }
        // Other methods of the connection are none the worse.
        assert.deepEqual(await world.run(client.call(OfClient.methods.fine, { name: "fine" })), { text: "fine" });
      });
    }
  }

  it("a method that only the new server has: unimplemented at the old one, for certain not handled", async (world) => {
    const Old = service("skew.S", { fine: Fine });
    const New = service("skew.S", { fine: Fine, fresh: Fine });
    const server = world.server().handle(Old, { fine: ({ name }) => ({ text: name }) });
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(New.methods.fresh, { name: "a" })));
    assert.deepEqual([error.code, error.handled], ["unimplemented", "no"]);
    assert.deepEqual(await world.run(client.call(New.methods.fine, { name: "a" })), { text: "a" });
  });

  it("an error that only the new server declares arrives as a plain one", async (world) => {
    const Old = service("skew.S", { find: unary(struct({}), struct({})) });
    const New = service("skew.S", { find: unary(struct({}), struct({}), { errors: { gone: struct({ id: u32 }) } }) });
    const server = world.server().handle(New, {
      find(_request, context) {
        throw context.error("gone", { id: 7 }, { message: "It has gone" });
      },
    });
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Old.methods.find, {})));
    assert.equal(error.code, "failed_precondition");
    assert.match(error.message, /It has gone/);
    assert.equal(isRpcError(error, Old.methods.find), false);
  });
});
