import assert from "node:assert/strict";
import { type CallEnd, isRpcError, type Registry, RpcError } from "pipit";
import type { InstanceView } from "@pipit/registry";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

/** An error says which target, method, attempt and time, and carries the record of its call. */
export const lawEight: Law = (it) => {
  it("a handler's error arrives with code, message, trailers, target, method, attempt and time", async (world) => {
    const server = world.server().handle(Probe, {
      plain(_: unknown, { trailers }: { trailers: { set(name: string, value: string): void } }) {
        trailers.set("reason", "rain");
        throw new RpcError("not_found", "No order 7");
      },
    } as never);
    const address = await world.listen(server);
    const error = await world.run(failure(world.client(address).call(Probe.methods.plain, { text: "" })));
    assert.match(
      error.message,
      new RegExp(`^No order 7 \\(laws\\.Probe/plain at ${address.replaceAll(".", "\\.")}, attempt 1, [\\d.]+ ms\\)$`),
    );
    assert.deepEqual(
      [
        error.code,
        error.target,
        error.service,
        error.method,
        error.attempt,
        error.handled,
        error.metadata?.text("reason"),
      ],
      ["not_found", address, "laws.Probe", "plain", 1, "yes", "rain"],
    );
    assert.ok(String(error.stack).includes("No order 7 (laws.Probe/plain"));
    assert.equal(error.record?.attempts.length, 1);
    assert.deepEqual(
      { ...error.record?.attempts[0], startedAtMs: 0, elapsedMs: 0 },
      {
        attempt: 1,
        endpoint: address,
        reason: "peakEwma",
        startedAtMs: 0,
        elapsedMs: 0,
        code: "not_found",
        message: "No order 7",
        handled: "yes",
      },
    );
  });

  it("the record tells each attempt, where it went and why", async (world) => {
    const down = (): never => {
      throw new RpcError("unavailable", "down");
    };
    const one = await world.listen(world.server().handle(Probe, { safe: down } as never));
    const two = await world.listen(world.server().handle(Probe, { safe: down } as never));
    const error = await world.run(failure(world.client([one, two]).call(Probe.methods.safe, { text: "" })));
    const attempts = error.record?.attempts ?? [];
    assert.deepEqual(
      attempts.map(({ attempt, reason }) => [attempt, reason]),
      [
        [1, "peakEwma"],
        [2, "retry"],
        [3, "retry"],
        [4, "retry"],
      ],
    );
    assert.equal(new Set(attempts.slice(0, 2).map(({ endpoint }) => endpoint)).size, 2);
    assert.equal(error.record?.target, `${one},${two}`);
  });

  it("onEnd gets the same record for a success, with metadata and trailers, once", async (world) => {
    const server = world.server().handle(Probe, {
      plain(_: unknown, context: { replyMetadata: Map<string, string>; trailers: Map<string, string> }) {
        context.replyMetadata.set("served-by", "me");
        context.trailers.set("cost", "3");
        return { text: "" };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const ends: CallEnd[] = [];
    let early: string | undefined;
    await world.run(
      client.call(
        Probe.methods.plain,
        { text: "" },
        {
          onEnd: (end) => ends.push(end),
          onMetadata: (metadata) => (early = metadata.text("served-by")),
        },
      ),
    );
    assert.deepEqual([ends.length, early], [1, "me"]);
    const [end] = ends;
    assert.deepEqual(
      [end?.metadata?.text("served-by"), end?.trailers?.text("cost"), end?.error],
      ["me", "3", undefined],
    );
    assert.deepEqual(
      end?.record.attempts.map(({ reason, code }) => [reason, code]),
      [["peakEwma", undefined]],
    );
  });

  it("metadata reaches the handler, the call's over the service's over the client's", async (world) => {
    const server = world.server().handle(Probe, {
      plain: (_: unknown, { metadata }: { metadata: Iterable<[string, string]> }) => ({
        text: [...metadata]
          .map(([name, value]) => `${name}=${value}`)
          .sort()
          .join(" "),
      }),
    } as never);
    const client = world.client(await world.listen(server), {
      defaults: { metadata: { a: "client", b: "client", c: "client" } },
    });
    const service = client.service(Probe, { metadata: { b: "service", c: "service" } });
    assert.equal(
      (await world.run(service.plain({ text: "" }, { metadata: { c: "call" } }))).text,
      "a=client b=service c=call",
    );
  });

  it("an onEnd that throws changes nothing of its call, nor of others", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    const heard: unknown[] = [];
    const listen = (error: unknown): void => void heard.push(error);
    process.on("warning", listen);
    const broken = client.call(
      Probe.methods.plain,
      { text: "a" },
      {
        onEnd() {
          throw new Error("bad observer");
        },
      },
    );
    const other = client.call(Probe.methods.plain, { text: "b" });
    assert.deepEqual(await world.run(Promise.all([broken, other])), [{ text: "a" }, { text: "b" }]);
    await world.pass(5);
    process.removeListener("warning", listen);
    assert.match(String(heard[0]), /bad observer/);
  });

  it("errors of an unreachable target name the target and the cause", async (world) => {
    const server = world.server().handle(Probe, {} as never);
    const address = await world.listen(server);
    await world.run(server.close({ graceMs: 0 }));
    const error = await world.run(failure(world.client(address).call(Probe.methods.plain, { text: "" })));
    assert.ok(error.message.includes(address), error.message);
    assert.equal(error.handled, "no");
    assert.ok(isRpcError(error));
  });

  it("errors of a server that the registry has lost sight of say so, unless it answered", async (world) => {
    const answering = world.server().handle(Probe, {
      plain: () => {
        throw new RpcError("unavailable", "the shop is closed");
      },
    } as never);
    const gone = world.server().handle(Probe, {} as never);
    const [alive, dead] = [await world.listen(answering), await world.listen(gone)];
    await world.run(gone.close({ graceMs: 0 }));
    const says = async (address: string, state: InstanceView["state"]): Promise<string> => {
      const client = world.client({ registry: oneInstance(address, state) });
      return (await world.run(failure(client.call(Probe.methods.plain, { text: "" })))).message;
    };
    const words = /; the registry has lost sight of this server, its record is stale \(laws\.Probe\/plain at /;
    assert.match(await says(dead, "stale"), words);
    assert.doesNotMatch(await says(dead, "up"), /stale/);
    assert.match(await says(alive, "stale"), /^the shop is closed \(/);
  });
};

/** A registry that knows one instance of the service, in this state, for ever. */
function oneInstance(address: string, state: InstanceView["state"]): Registry {
  const colon = address.lastIndexOf(":");
  const instances: InstanceView[] = [
    {
      id: "only",
      generation: 1,
      service: Probe.name,
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      weight: 1,
      zone: "",
      version: "",
      metadata: {},
      state,
    },
  ];
  return {
    async *watch(_service: string, options?: { readonly signal?: AbortSignal }) {
      yield { revision: 1, instances };
      await new Promise<void>((resolve) => options?.signal?.addEventListener("abort", () => resolve()));
    },
  } as Partial<Registry> as Registry;
}
