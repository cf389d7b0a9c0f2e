import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@pipit/protocol";
import { byteTransportSuite } from "@pipit/protocol/testing";
import { tcpStreams } from "@pipit/transport-tcp";

byteTransportSuite("TCP", () => {
  const transport = tcpStreams();
  return Promise.resolve({
    client: transport,
    server: transport,
    clock: systemClock,
    where: {},
    deadAddress: "127.0.0.1:1",
  });
});

byteTransportSuite("a Unix socket", () => {
  const transport = tcpStreams();
  const path = join(tmpdir(), `pipit-${randomUUID()}.sock`);
  return Promise.resolve({
    client: transport,
    server: transport,
    clock: systemClock,
    where: { path },
    deadAddress: `unix:${path}.none`,
  });
});
