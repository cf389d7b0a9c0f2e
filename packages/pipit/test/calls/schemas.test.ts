import assert from "node:assert/strict";
import { type MessageSource, optional, service, string, struct, u32, u64, unary } from "pipit";
import * as v from "valibot";
import { z } from "zod";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

holdsEverywhere((it) => {
  it("methods on Zod and Valibot schemas: the receiver validates and sees the output type", async (world) => {
    const Zod = service("schemas.Zod", {
      shout: unary(
        z.object({
          text: z
            .string()
            .min(1)
            .transform((text) => text.toUpperCase()),
        }),
        z.object({ text: z.string() }),
      ),
    });
    const Valibot = service("schemas.Valibot", {
      count: unary(v.object({ text: v.pipe(v.string(), v.minLength(1)) }), v.object({ count: v.number() })),
      wrong: unary(v.object({}), v.object({ count: v.pipe(v.number(), v.minValue(10)) })),
    });
    const server = world
      .server()
      .handle(Zod, { shout: ({ text }) => ({ text }) })
      .handle(Valibot, { count: ({ text }) => ({ count: text.length }), wrong: () => ({ count: 1 }) });
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Zod.methods.shout, { text: "hey" })), { text: "HEY" });
    assert.deepEqual(await world.run(client.call(Valibot.methods.count, { text: "four" })), { count: 4 });
    const bad = await world.run(failure(client.call(Zod.methods.shout, { text: "" })));
    assert.equal(bad.code, "invalid_argument");
    assert.match(bad.message, /\$\.text/);
    const reply = await world.run(failure(client.call(Valibot.methods.wrong, {})));
    assert.equal(reply.code, "internal");
  });

  it("a method without schemas carries any value", async (world) => {
    const Loose = service("schemas.Loose", { echo: unary<unknown, unknown>() });
    const server = world.server().handle(Loose, { echo: (value) => value });
    const client = world.client(await world.listen(server));
    const values = [null, 1.5, "text", [1, [2]], { a: { b: new Uint8Array([1, 2]) } }, 2n ** 60n, new Map([[1, "x"]])];
    for (const value of values) assert.deepEqual(await world.run(client.call(Loose.methods.echo, value)), value);
  });

  it("contracts of different versions understand each other, or say why not, method by method", async (world) => {
    const one = unary(struct({ name: string }), struct({ text: string }));
    const table: [string, MessageSource, MessageSource, unknown, unknown][] = [
      [
        "a new optional field",
        struct({ name: string }),
        struct({ name: string, title: optional(string) }),
        { name: "a" },
        { name: "a" },
      ],
      [
        "a removed field",
        struct({ name: string, age: u32 }),
        struct({ name: string }),
        { name: "a", age: 3 },
        { name: "a" },
      ],
      [
        "a field renamed by alias",
        struct({ name: string }),
        struct({ full: string }, { aliases: { full: ["name"] } }),
        { name: "a" },
        { full: "a" },
      ],
      [
        "another order",
        struct({ a: string, b: u32 }),
        struct({ b: u32, a: string }),
        { a: "x", b: 1 },
        { a: "x", b: 1 },
      ],
      ["a wider number", struct({ n: u32 }), struct({ n: u64 }), { n: 7 }, { n: 7n }],
      [
        "a new required field",
        struct({ name: string }),
        struct({ name: string, age: u32 }),
        { name: "a" },
        "failed_precondition",
      ],
      ["a narrower number", struct({ n: u64 }), struct({ n: u32 }), { n: 7n }, "failed_precondition"],
    ];
    for (const [change, sent, expected, request, result] of table) {
      let seen: unknown;
      const Server = service("skew.S", { call: unary(expected, struct({})), other: one });
      const Client = service("skew.S", { call: unary(sent, struct({})), other: one });
      const server = world.server().handle(Server, {
        call(given: unknown) {
          seen = given;
          return {};
        },
        other: ({ name }: { name: string }) => ({ text: name }),
      });
      const client = world.client(await world.listen(server));
      if (typeof result === "string") {
        const error = await world.run(failure(client.call(Client.methods.call, request as never)));
        assert.deepEqual([error.code, seen], [result, undefined], change);
      } else {
        await world.run(client.call(Client.methods.call, request as never));
        assert.deepEqual(seen, result, change);
      }
      assert.deepEqual(await world.run(client.call(Client.methods.other, { name: "fine" })), { text: "fine" }, change);
    }
  });
});
