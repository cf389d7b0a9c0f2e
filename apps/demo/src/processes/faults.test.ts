import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, createServer, RpcError } from "pipit";
import { memory } from "pipit/testing";
import { type Fault, Process, Stations } from "../contracts/index.ts";
import { CallCounter } from "./call-counter.ts";
import { FaultPlayer } from "./faults.ts";
import { countServed } from "./telemetry.ts";

test("a failing share fails evenly and is counted, other calls go on, and mending is always possible", async () => {
  const faults = new FaultPlayer();
  const counter = new CallCounter();
  const server = createServer();
  server.use(countServed(counter, () => 0)).use(faults.interceptor);
  server.handle(Stations, { progress: () => ({ stations: [] }) });
  server.handle(Process, {
    stats() {
      throw new RpcError("unimplemented", "Not asked for here");
    },
    inject({ fault }: { fault: Fault }) {
      faults.fault = fault;
      return {};
    },
  });
  const link = memory();
  await server.listen({ transport: link });
  const client = createClient({ target: link.address, transport: link, retries: false });
  const [stations, process] = [client.service(Stations), client.service(Process)];

  await process.inject({ fault: { type: "failing", value: { share: 0.25 } } });
  const codes: string[] = [];
  for (let i = 0; i < 8; i++) {
    codes.push(
      await stations.progress({}).then(
        () => "ok",
        (error: RpcError) => error.code,
      ),
    );
  }
  assert.deepEqual(codes, ["ok", "ok", "ok", "unavailable", "ok", "ok", "ok", "unavailable"]);

  await process.inject({ fault: { type: "failing", value: { share: 1 } } });
  await assert.rejects(stations.progress({}));
  await process.inject({ fault: { type: "none", value: {} } });
  await stations.progress({});
  // The calls of demo.Process are not among them.
  const { total, failed } = counter.read(0);
  assert.deepEqual([total, failed], [10, 3]);
  await client.close();
  await server.close({ graceMs: 0 });
});
