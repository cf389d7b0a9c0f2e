import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const timeout = 60_000;

test("the first example of the README runs as pasted, and starts before line 25", { timeout }, async () => {
  const lines = readme.split("\n");
  assert.ok(lines.indexOf("```ts") < 25);
  const code = /```ts\n([^]*?)```/.exec(readme)?.[1] as string;
  const output = await new Promise<string>((resolve) => {
    let text = "";
    const child = run(code);
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("close", () => resolve(text));
  });
  assert.equal(output, "1 [ '127.0.0.1:50051 up' ]\n2 [ '127.0.0.1:50051 draining' ]\n3 []\n");
});

test("the two terminals of the README find each other, and the second comes, drains and goes", {
  timeout,
}, async () => {
  const port = await freePort();
  const [first, second] = [...readme.matchAll(/-e '\n([^]*?)'\n/g)].map(([, code]) =>
    (code as string).replaceAll("7946", String(port)),
  ) as [string, string];
  const one = run(first);
  try {
    const wanted = ["one up", "one up,two up", "one up,two draining", "one up"];
    let started = false;
    for await (const chunk of one.stdout as AsyncIterable<Buffer>) {
      for (const line of chunk.toString().trim().split("\n")) {
        const text = [...line.matchAll(/'([^']*)'/g)].map(([, state]) => state).join();
        if (text === wanted[0]) wanted.shift();
      }
      if (wanted.length === 0) return;
      if (!started) run(second);
      started = true;
    }
    assert.fail(`the first terminal ended before it showed ${wanted[0]}`);
  } finally {
    one.kill("SIGKILL");
  }
});

function run(code: string): ChildProcess {
  const options = ["--conditions=pipit-source", "--import", "tsx", "--input-type=module", "-e", code];
  return spawn(process.execPath, options, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
