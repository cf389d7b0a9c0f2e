import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { RpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

interface Event {
  readonly method?: { readonly name: string };
  readonly event?: string;
  readonly code?: string;
  readonly error?: { readonly code: string };
}

const names = [
  "pipit:client:connect",
  "pipit:client:call:start",
  "pipit:client:call:end",
  "pipit:server:call:start",
  "pipit:server:call:end",
];

holdsEverywhere((it) => {
  it("connections and calls are told on both sides, from start to end", async (world) => {
    const log: string[] = [];
    const listen = (message: unknown, name: string | symbol): void => {
      const { method, event, code, error } = message as Event;
      log.push([String(name).slice(6), method?.name ?? event, code ?? error?.code].filter(Boolean).join(" "));
    };
    for (const name of names) subscribe(name, listen);
    try {
      const server = world.server().handle(Probe, {
        plain: () => ({ text: "" }),
        safe() {
          throw new RpcError("not_found", "no");
        },
      } as never);
      const client = world.client(await world.listen(server));
      await world.run(client.call(Probe.methods.plain, { text: "" }));
      await world.run(failure(client.call(Probe.methods.safe, { text: "" })));
    } finally {
      for (const name of names) unsubscribe(name, listen);
    }
    assert.deepEqual(log, [
      "client:call:start plain",
      "client:connect ready",
      "server:call:start plain",
      "server:call:end plain",
      "client:call:end plain",
      "client:call:start safe",
      "server:call:start safe",
      "server:call:end safe not_found",
      "client:call:end safe not_found",
    ]);
  });
});
