import assert from "node:assert/strict";
import { service, unary } from "pipit";
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
});
