import assert from "node:assert/strict";
import { createServer, type AddressInfo, connect as openSocket } from "node:net";
import { describe, test } from "node:test";
import { connect as openTls } from "node:tls";
import { type ByteTransport, type Clock, systemClock } from "@pipit/protocol";
import { virtualClock } from "@pipit/simulation";
import { type TlsErrorEvent, tcpStreams } from "@pipit/transport-tcp";
import { byteTransportSuite } from "@pipit/protocol/testing";
import { identity, patient, pem, Station, trusting } from "./fixtures.ts";

const server = identity("server");

for (const [name, tls] of Object.entries({
  "TLS 1.3": { minVersion: "TLSv1.3" },
  "mutual TLS": { ...identity("client"), requestClientCert: true },
} as const)) {
  byteTransportSuite(name, () =>
    Promise.resolve({
      server: tcpStreams({ tls: { ...trusting, ...tls, ...server } }),
      client: tcpStreams({ tls: { ...trusting, ...tls } }),
      clock: systemClock,
      where: {},
      deadAddress: "127.0.0.1:1",
    }),
  );
}

describe("a TLS client", () => {
  test("whose certificate never comes gives up when it is told to", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    const asked = new AbortController();
    const cert = (): Promise<string> => (asked.abort(new Error("no time left")), new Promise(() => undefined));
    const client = tcpStreams({ tls: { ...trusting, cert, key: server.key } });
    await assert.rejects(
      client.connect(station.address, { ...patient(), signal: asked.signal }),
      /^Error: no time left$/,
    );
  });

  test("knows the certificate of its server, and that strangers cannot read", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    const { near, far } = await station.pair(tcpStreams({ tls: trusting }));
    assert.deepEqual(near.stream.peer.certificate?.commonName, "localhost");
    assert.deepEqual(near.stream.peer.certificate?.subjectAltNames, [
      "DNS:localhost",
      "IP:127.0.0.1",
      "IP:0:0:0:0:0:0:0:1",
    ]);
    assert.match(near.stream.peer.certificate?.fingerprint256 ?? "", /^[0-9a-f]{64}$/u);
    assert.deepEqual([near.stream.peer.secure, far.stream.peer.secure], [true, true]);
    assert.equal(far.stream.peer.certificate, undefined);
  });

  test("checks the name it was told: by the call, by the options, or the host", async () => {
    await using station = await Station.open(tcpStreams({ tls: identity("other") }));
    const wrong = `Cannot connect to ${station.address}: its certificate is for another name (option tls.serverName says which name to check) (ERR_TLS_CERT_ALTNAME_INVALID)`;
    const client = tcpStreams({ tls: trusting });
    await assert.rejects(client.connect(station.address, patient()), { code: "unavailable", message: wrong });
    await station.pair(client, "other.example");
    await station.pair(tcpStreams({ tls: { ...trusting, serverName: "other.example" } }));
    const misled = tcpStreams({ tls: { ...trusting, serverName: "other.example" } });
    await assert.rejects(misled.connect(station.address, patient({ serverName: "localhost" })), { message: wrong });
  });

  test("trusts nobody but the authorities it was given, whatever the environment says", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    await assert.rejects(tcpStreams({ tls: true }).connect(station.address, patient()), {
      code: "unavailable",
      message:
        /^Cannot connect to .*: its certificate comes from an authority that is not trusted here \(option tls\.ca\)/u,
    });
  });

  test("refuses a certificate that has expired", async () => {
    await using station = await Station.open(tcpStreams({ tls: identity("expired") }));
    await assert.rejects(tcpStreams({ tls: trusting }).connect(station.address, patient()), {
      message: `Cannot connect to ${station.address}: its certificate has expired (CERT_HAS_EXPIRED)`,
    });
  });

  for (const [answer, why] of [
    [Buffer.from("PIPT\0\0\0"), "the peer does not speak TLS; connect without the tls option"],
    [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "the peer does not speak TLS; connect without the tls option"],
    [Buffer.from("15030100020246", "hex"), "the peer does not speak TLS on this port"],
  ] as const) {
    test(`that meets a plain port answering ${answer.toString("hex").slice(0, 8)} says so`, async () => {
      await using plain = await plainServer(answer);
      await assert.rejects(tcpStreams({ tls: trusting }).connect(plain.address, patient()), (error: Error) => {
        assert.match(error.message, new RegExp(`^Cannot connect to ${plain.address}: ${why}`, "u"));
        return true;
      });
    });
  }

  test("gives up a handshake that nobody answers when its signal says so", async () => {
    await using silent = await plainServer(undefined);
    const controller = new AbortController();
    const options = { ...patient(), signal: controller.signal };
    const pending = tcpStreams({ tls: trusting }).connect(silent.address, options);
    await silent.accepted;
    controller.abort(new Error("Enough"));
    await assert.rejects(pending, { message: "Enough" });
  });
});

describe("a TLS server", () => {
  test("answers a plain client with a TLS alert, which the session above can name, and tells its owner", async () => {
    const events: TlsErrorEvent[] = [];
    await using station = await Station.open(
      tcpStreams({ tls: { ...server, onTlsError: (event) => events.push(event) } }),
    );
    const near = station.probe(await tcpStreams().connect(station.address, patient()));
    near.write(new TextEncoder().encode("PIPT and more"));
    await near.ended();
    assert.deepEqual(near.bytes(), Buffer.from("15030100020246", "hex"));
    assert.equal(station.waitingCount, 0);
    assert.equal(events[0]?.type, "handshake");
    assert.match(
      events[0]?.error.message ?? "",
      /^The connection to 127\.0\.0\.1:\d+ failed: The client does not speak TLS$/u,
    );
  });

  test("answers a plain HTTP request in HTTP", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    const near = station.probe(await tcpStreams().connect(station.address, patient()));
    near.write(new TextEncoder().encode("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"));
    await near.ended();
    const [head, body] = Buffer.from(near.bytes()).toString().split("\r\n\r\n");
    assert.match(head ?? "", /^HTTP\/1\.1 400 Bad Request\r\n/u);
    assert.match(head ?? "", new RegExp(`content-length: ${body?.length}`, "u"));
    assert.equal(body, "This port speaks TLS, not plain-text HTTP\n");
  });

  test("closes a connection that never shakes hands", async () => {
    await using station = await Station.open(tcpStreams({ tls: { ...server, handshakeTimeoutMs: 20 } }));
    for (const first of [undefined, Uint8Array.of(0x16, 3, 1)]) {
      const near = station.probe(await tcpStreams().connect(station.address, patient()));
      if (first !== undefined) near.write(first);
      await near.until(() => near.isEnded || near.closeCount > 0);
    }
    assert.equal(station.waitingCount, 0);
  });

  test("waits for the first byte of a handshake by the clock that it is given", async () => {
    const clock = virtualClock();
    await using station = await Station.open(tcpStreams({ tls: { ...server, handshakeTimeoutMs: 60_000 }, clock }));
    const silent = station.probe(await tcpStreams().connect(station.address, patient()));
    const { near } = await station.pair(tcpStreams({ tls: trusting }));
    await clock.advance(60_000);
    await silent.until(() => silent.isEnded || silent.closeCount > 0);
    assert.deepEqual([near.isEnded, near.closeCount], [false, 0]);
  });

  test("counts sockets in their handshake among the streams that it takes", async () => {
    const streams = tcpStreams({ tls: server });
    const two: ByteTransport = {
      ...streams,
      listen: (where, accept) => streams.listen(where, accept, { maxStreams: 2 }),
    };
    await using station = await Station.open(two);
    for (let count = 0; count < 2; count++) {
      station.probe(await tcpStreams().connect(station.address, patient())).write(Uint8Array.of(0x16, 3, 1));
    }
    const third = station.probe(await tcpStreams().connect(station.address, patient()));
    await third.until(() => third.isEnded || third.closeCount > 0);
    assert.equal(station.waitingCount, 0);
  });

  test("with requestClientCert lets in only certificates of its authority, and knows whose they are", async () => {
    const events: TlsErrorEvent[] = [];
    const onTlsError = (event: TlsErrorEvent): void => void events.push(event);
    const tls = { ...server, ...trusting, requestClientCert: true, onTlsError };
    await using station = await Station.open(tcpStreams({ tls }));
    const { far } = await station.pair(tcpStreams({ tls: { ...trusting, ...identity("client") } }));
    assert.equal(far.stream.peer.certificate?.commonName, "worker-7");
    assert.deepEqual(far.stream.peer.certificate?.subjectAltNames, [
      "URI:spiffe://pipit.example/worker",
      "DNS:worker-7.example",
      "IP:10.0.0.7",
    ]);
    // In TLS 1.3 the client is done before the server has judged its certificate: the stream fails instead.
    const bare = station.probe(await tcpStreams({ tls: trusting }).connect(station.address, patient()));
    await bare.closed();
    assert.equal(
      bare.closeError?.message,
      `The connection to ${station.address} failed: the peer wants a client certificate (options tls.cert and tls.key) (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)`,
    );
    const stranger = tcpStreams({ tls: { ...trusting, ...identity("unknown") } });
    const near = station.probe(await stranger.connect(station.address, patient()));
    await near.ended();
    assert.equal(station.waitingCount, 0);
    const [, refused] = events;
    assert.match(refused?.error.message ?? "", /: its certificate comes from an authority that is not trusted here/u);
  });

  test("that asks for an optional certificate lets others in, but believes none it cannot verify", async () => {
    const tls = { ...server, ...trusting, requestClientCert: "optional" } as const;
    await using station = await Station.open(tcpStreams({ tls }));
    const names = [];
    for (const client of [{}, identity("client"), identity("unknown")]) {
      const { far } = await station.pair(tcpStreams({ tls: { ...trusting, ...client } }));
      names.push(far.stream.peer.certificate?.commonName);
    }
    assert.deepEqual(names, [undefined, "worker-7", undefined]);
  });

  test("shows the certificate of the name that is asked for", async () => {
    const tls = { ...server, names: { "Other.example": identity("other") } };
    await using station = await Station.open(tcpStreams({ tls }));
    const client = tcpStreams({ tls: trusting });
    assert.equal(
      (await station.pair(client, "other.example")).near.stream.peer.certificate?.commonName,
      "other.example",
    );
    assert.equal((await station.pair(client, "localhost")).near.stream.peer.certificate?.commonName, "localhost");
  });

  test("shows a renewed certificate from the next connection on; streams that stand live on", async () => {
    const clock = new ManualClock();
    const events: TlsErrorEvent[] = [];
    let current = "server";
    const tls = {
      cert: () => pem(`${current}.pem`),
      key: () => Promise.resolve(Buffer.from(current === "broken" ? "no key" : pem(`${current}.key`))),
      onTlsError: (event: TlsErrorEvent) => void events.push(event),
    };
    await using station = await Station.open(tcpStreams({ tls, clock }));
    const client = tcpStreams({ tls: trusting });
    const fingerprints: (string | undefined)[] = [];
    const first = await station.pair(client);
    fingerprints.push(first.near.stream.peer.certificate?.fingerprint256);
    for (const [next, afterMs] of [
      ["renewed", 10],
      ["renewed", 1_000],
      ["nowhere", 1_000],
    ] as const) {
      current = next;
      clock.nowMs += afterMs;
      fingerprints.push((await station.pair(client)).near.stream.peer.certificate?.fingerprint256);
    }
    assert.equal(fingerprints[1], fingerprints[0], "asked again at most once a second");
    assert.notEqual(fingerprints[2], fingerprints[0]);
    assert.equal(fingerprints[3], fingerprints[2], "a reload that fails keeps the earlier certificate");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["reload"],
    );
    assert.match(events[0]?.error.message ?? "", /nowhere\.pem/u);
    first.near.write(Uint8Array.of(1));
    await first.far.received(1);
  });

  test("goes on with the earlier certificate while a new one does not come, and takes it when it does", async () => {
    const clock = virtualClock();
    const events: TlsErrorEvent[] = [];
    let cert: string | Promise<string> = pem("server.pem");
    const tls = {
      cert: () => cert,
      key: () => pem(cert === pem("server.pem") ? "server.key" : "renewed.key"),
      onTlsError: (event: TlsErrorEvent) => void events.push(event),
    };
    await using station = await Station.open(tcpStreams({ tls, clock }));
    const client = tcpStreams({ tls: trusting });
    const shown = async (): Promise<string | undefined> =>
      (await station.pair(client)).near.stream.peer.certificate?.fingerprint256;
    const first = await shown();
    let come: (renewed: string) => void = () => undefined;
    cert = new Promise((resolve) => (come = resolve));
    await clock.advance(1_000);
    const waits = shown();
    while (clock.waitingCount < 2) await clock.advance(0); // its handshake's time, and that of the reload
    await clock.advance(2_000);
    assert.equal(await waits, first);
    assert.equal(await shown(), first, "nobody waits twice");
    assert.deepEqual(
      events.map(({ type, error }) => `${type}: ${error.message}`),
      ["reload: The functions of cert, key, ca or names gave nothing within 2000 ms"],
    );
    come(pem("renewed.pem"));
    assert.notEqual(await shown(), first);
  });

  test("lives on where a listener for its errors throws", async () => {
    const clock = new ManualClock();
    const warnings: string[] = [];
    const warn = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", warn);
    let fails = false;
    const tls = {
      ...server,
      cert: () => (fails ? Promise.reject(new Error("away")) : Promise.resolve(server.cert)),
      onTlsError: ({ type }: TlsErrorEvent) => {
        throw new Error(`cannot log ${type}`);
      },
    };
    await using station = await Station.open(tcpStreams({ tls, clock }));
    const plain = station.probe(await tcpStreams().connect(station.address, patient()));
    plain.write(new TextEncoder().encode("PIPT and more"));
    await plain.ended();
    fails = true;
    clock.nowMs += 1_000;
    await station.pair(tcpStreams({ tls: trusting }));
    process.off("warning", warn);
    assert.deepEqual(warnings, ["cannot log handshake", "cannot log reload"]);
  });

  test("needs a certificate and a key that load", async () => {
    for (const [tls, why] of [
      [true, /^Cannot listen on 127\.0\.0\.1:0 with TLS: options tls\.cert and tls\.key are needed$/u],
      [{ cert: "x", key: "y" }, /^Cannot listen on 127\.0\.0\.1:0 with TLS: /u],
    ] as const) {
      await assert.rejects(
        tcpStreams({ tls }).listen({}, () => undefined),
        { code: "invalid_argument", message: why },
      );
    }
  });

  test("refuses what is older than TLS 1.2, and says which versions are meant", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    const code = await new Promise((resolve) => {
      openTls({
        port: station.listener.port,
        host: "127.0.0.1",
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      }).once("error", (error: Error & { code?: string }) => resolve(error.code));
    });
    assert.equal(code, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  });

  test("hears a handshake that arrives byte by byte", async () => {
    await using station = await Station.open(tcpStreams({ tls: server }));
    const relay = createServer((socket) => {
      const onward = openSocket(station.listener.port, "127.0.0.1").setNoDelay(true);
      socket.on("data", (chunk) => {
        for (const byte of chunk) onward.write(Uint8Array.of(byte));
      });
      onward.pipe(socket);
      for (const end of [socket, onward]) end.on("error", () => undefined).on("close", () => relay.close());
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const { port } = relay.address() as AddressInfo;
    const stream = await tcpStreams({ tls: trusting }).connect(`127.0.0.1:${port}`, patient());
    const near = station.probe(stream);
    near.write(Uint8Array.of(7));
    const far = await station.accepted();
    await far.received(1);
    near.destroy();
    await near.closed();
  });
});

/** A server without TLS that answers anything with `answer` and its end, or with nothing. */
async function plainServer(answer: Uint8Array | undefined) {
  let accept = (): void => undefined;
  const accepted = new Promise<void>((resolve) => {
    accept = resolve;
  });
  const listening = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      accept();
      if (answer !== undefined) socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(listening.address() as AddressInfo).port}`,
    accepted,
    [Symbol.asyncDispose]: () => {
      listening.close();
      return Promise.resolve();
    },
  };
}

/** The system's clock, but its time is set by hand. */
class ManualClock implements Clock {
  nowMs = 5_000;

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    return systemClock.after(delayMs, fn);
  }

  soon(fn: () => void): void {
    systemClock.soon(fn);
  }
}
