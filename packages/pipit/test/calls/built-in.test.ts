import assert from "node:assert/strict";
import { Health, memoryRegistry, Reflection, RpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { failure } from "../support/outcome.ts";

holdsEverywhere((it) => {
  it("health answers on every server, names its services, and is announced nowhere", async (world) => {
    const registry = memoryRegistry();
    const server = world.server({ registry }).handle(Probe, { plain: () => ({ text: "" }) } as never);
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Health.methods.check, {})), {
      status: "serving",
      services: ["laws.Probe"],
    });
    const error = await world.run(failure(client.call(Health.methods.check, { service: "no.Such" })));
    assert.equal(error.code, "not_found");
    assert.deepEqual((await registry.list("pipit.Health")).instances, []);
  });

  it("reflection shows services, methods and schemas, only where it is switched on", async (world) => {
    const open = world.client(await world.listen(world.server({ reflection: true }).handle(Probe, {} as never)));
    const { services } = await world.run(open.call(Reflection.methods.list, {}));
    const [probe] = services;
    assert.equal(probe?.name, "laws.Probe");
    const declared = probe?.methods.find(({ name }) => name === "declared");
    assert.deepEqual(
      [declared?.kind, declared?.idempotency, Object.keys(declared?.errors ?? {})],
      ["unary", "none", ["notFound"]],
    );
    assert.ok(JSON.stringify(declared?.request).includes("text"));
    const shut = world.client(await world.listen(world.server().handle(Probe, {} as never)));
    assert.equal((await world.run(failure(shut.call(Reflection.methods.list, {})))).code, "unimplemented");
  });

  it("authorize guards the built-in services like any other", async (world) => {
    const authorize = (): never => {
      throw new RpcError("permission_denied", "no tools here");
    };
    const client = world.client(
      await world.listen(world.server({ reflection: true, authorize }).handle(Probe, {} as never)),
    );
    assert.equal((await world.run(failure(client.call(Reflection.methods.list, {})))).code, "permission_denied");
  });
});
