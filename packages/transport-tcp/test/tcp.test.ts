import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { tcpStreams } from "@pipit/transport-tcp";
import { patient, Station } from "./fixtures.ts";

const transport = tcpStreams();
const ignore = (): void => undefined;

describe("TCP", () => {
  test("listens on loopback unless told otherwise, and says where it really does", async () => {
    await using station = await Station.open(transport);
    assert.equal(station.listener.host, "127.0.0.1");
    assert.ok(station.listener.port > 0);
    assert.equal(station.address, `127.0.0.1:${station.listener.port}`);
  });

  test("both ends of a loopback connection are local and not secret", async () => {
    await using station = await Station.open(transport);
    const { near, far } = await station.pair(transport);
    for (const { peer } of [near.stream, far.stream]) assert.deepEqual([peer.local, peer.secure], [true, false]);
    assert.match(far.stream.peer.address, /^127\.0\.0\.1:\d+$/u);
  });

  test("what an accepted socket read much of is freed, where its owner keeps copies", async () => {
    await using station = await Station.open(transport);
    const { near, far } = await station.pair(transport);
    const lent: Uint8Array[] = [];
    far.onBorrowed = (chunk) => {
      lent.push(chunk);
      far.onData(new Uint8Array(chunk));
    };
    const sent = new Uint8Array(1_000_000).map((_, at) => at % 251);
    near.write(sent.slice());
    await far.received(sent.byteLength);
    assert.equal(Buffer.compare(far.bytes(), sent), 0);
    assert.ok(lent.length > 0);
    assert.deepEqual(new Set(lent.map(({ length }) => length)), new Set([0]));
  });

  test("a name with several addresses is tried until one answers", async () => {
    await using station = await Station.open(transport);
    const stream = await transport.connect(`localhost:${station.listener.port}`, patient());
    assert.equal(stream.peer.address, `localhost:${station.listener.port}`);
    station.probe(stream);
  });

  test("a name that does not exist is unavailable and says so", async () => {
    await assert.rejects(transport.connect("no-such-host.invalid:1", patient()), (error: Error) => {
      assert.match(error.message, /^Cannot connect to no-such-host\.invalid:1: (no such host name|the name server)/u);
      return true;
    });
  });

  test("a malformed address is invalid_argument", async () => {
    await assert.rejects(transport.connect("localhost", patient()), {
      code: "invalid_argument",
      message: 'Address "localhost": expected host:port, [v6]:port or unix:/path',
    });
  });

  test("listening at an address of another machine, or on no port, says so", async () => {
    await assert.rejects(transport.listen({ host: "192.0.2.1" }, ignore), {
      code: "invalid_argument",
      message: "Cannot listen on 192.0.2.1:0: this machine has no address 192.0.2.1",
    });
    await assert.rejects(transport.listen({ port: 65_536 }, ignore), {
      name: "RangeError",
      message: "Port to listen on: expected a whole number between 0 and 65535, got 65536",
    });
  });

  test("a closed listener frees its port at once, though its streams live on", async () => {
    await using station = await Station.open(transport);
    const { near, far } = await station.pair(transport);
    await station.listener.close();
    const again = await transport.listen({ port: station.listener.port }, ignore);
    await again.close();
    near.write(Uint8Array.of(1));
    await far.received(1);
  });
});

describe("a Unix socket", () => {
  test("both ends are local and secret", async () => {
    await using directory = new Directory();
    await using station = await Station.open(transport, { path: directory.path("a.sock") });
    const { near, far } = await station.pair(transport);
    for (const { peer } of [near.stream, far.stream]) {
      assert.deepEqual([peer.address, peer.local, peer.secure], [station.address, true, true]);
    }
    assert.equal(station.address, `unix:${directory.path("a.sock")}`);
  });

  test("its file goes with the listener", async () => {
    await using directory = new Directory();
    const listener = await transport.listen({ path: directory.path("a.sock") }, ignore);
    await listener.close();
    assert.equal(existsSync(directory.path("a.sock")), false);
  });

  test("a file that a dead process left is replaced", async () => {
    await using directory = new Directory();
    const path = directory.path("a.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    assert.equal(existsSync(path), true);
    await using station = await Station.open(transport, { path });
    await station.pair(transport);
  });

  test("a file that is no socket is never touched", async () => {
    await using directory = new Directory();
    const path = directory.path("notes.txt");
    writeFileSync(path, "notes");
    await assert.rejects(transport.listen({ path }, ignore), { code: "already_exists" });
    assert.equal(existsSync(path), true);
  });

  test("a path that is too long, or in no directory, is refused with the reason", async () => {
    const long = `/tmp/${"x".repeat(120)}`;
    await assert.rejects(transport.listen({ path: long }, ignore), {
      code: "invalid_argument",
      message: /: the path has 125 bytes, and a socket's path may have 10[37]$/u,
    });
    await assert.rejects(transport.listen({ path: "/no-such-directory/a.sock" }, ignore), {
      message: /^Cannot listen on unix:\/no-such-directory\/a\.sock: /u,
    });
  });

  test("connecting to no file says so", async () => {
    await assert.rejects(transport.connect("unix:/no-such-directory/a.sock", patient()), {
      code: "unavailable",
      message: "Cannot connect to unix:/no-such-directory/a.sock: there is no socket at that path (ENOENT)",
    });
  });
});

/** A directory of its own, gone at the end. */
class Directory implements AsyncDisposable {
  readonly #path = mkdtempSync(join(tmpdir(), "pipit-"));

  path(name: string): string {
    return join(this.#path, name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#path, { recursive: true });
    return Promise.resolve();
  }
}
