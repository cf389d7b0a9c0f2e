import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import net from "node:net";
import { test, type TestContext } from "node:test";
import type { Action } from "./actions.ts";
import { EventStream } from "./event-stream.ts";
import type { LiveEvent, PageState } from "./events.ts";
import { ActionError, type Feed } from "./feed.ts";
import { sampleFeed } from "./sample-feed.ts";
import { servePage } from "./serve-page.ts";

async function serve(t: TestContext, feed: Feed): Promise<URL> {
  const server = await servePage({ feed });
  t.after(() => server.close());
  return new URL(server.url);
}

/** A feed that only remembers what it was asked. */
function deaf(performed: Action[] = []): Feed {
  return {
    start() {},
    async perform(action) {
      if (action.type === "revive") throw new ActionError("It is running");
      performed.push(action);
    },
    async close() {},
  };
}

function post(url: URL, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const all = { "content-type": "application/json", ...headers };
  return fetch(new URL("/actions", url), { method: "POST", headers: all, body });
}

test("every file of the page is served with its type, and nothing else is", async (t) => {
  const url = await serve(t, deaf());
  for (const [path, type] of [
    ["/", "text/html"],
    ["/main.js", "text/javascript"],
    ["/style.css", "text/css"],
    ["/icon.svg", "image/svg+xml"],
    ["/uplot.js", "text/javascript"],
    ["/uplot.css", "text/css"],
  ] as const) {
    const response = await fetch(new URL(path, url));
    assert.equal(response.status, 200, path);
    assert.ok(response.headers.get("content-type")?.startsWith(type), path);
    assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'self'/);
  }
  for (const path of ["/../package.json", "/%2e%2e/package.json", "/tsconfig.json", "/constructor", "//main.js"]) {
    // `fetch` would tidy the path up before it is sent.
    const socket = net.connect({ host: url.hostname, port: Number(url.port) });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /^HTTP\/1\.1 404 /, path);
  }
});

test("a button's action reaches the feed, and what goes wrong comes back in words", async (t) => {
  const performed: Action[] = [];
  const url = await serve(t, deaf(performed));
  assert.deepEqual(await (await post(url, '{"type":"crash","instance":"charts-1"}')).json(), { ok: true });
  assert.deepEqual(performed, [{ type: "crash", instance: "charts-1" }]);

  const refused = await post(url, '{"type":"revive","instance":"charts-1"}');
  assert.deepEqual([refused.status, await refused.json()], [409, { error: "It is running" }]);
  assert.equal((await post(url, "{}")).status, 400);
  assert.equal((await post(url, `"${"x".repeat(5000)}"`)).status, 413);
  assert.equal(
    (await post(url, '{"type":"crash","instance":"charts-1"}', { origin: "https://evil.example" })).status,
    403,
  );
  assert.equal((await fetch(new URL("/actions", url))).status, 405);
  assert.equal((await fetch(url, { method: "POST", headers: { "content-type": "application/json" } })).status, 405);
  assert.equal(performed.length, 1);
});

test("a page begins with the whole state and goes on with the changes", async (t) => {
  const feed = sampleFeed({ seed: 1, history: 5, running: false });
  const url = await serve(t, feed);
  const request = httpRequest(new URL("/events", url)).end();
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
  t.after(() => request.destroy());
  const frames = framesOf(response);
  const [first] = await next(frames);
  assert.equal(first?.type === "snapshot" && first.state.charts["torque"]?.points.length, 5);
  feed.tick();
  const types = new Set((await next(frames)).map(({ type }) => type));
  assert.ok(types.has("points") && types.has("totals"), [...types].join());
});

test("a reader that takes nothing costs no queue, and then gets the newest state", () => {
  const response = new FakeResponse();
  let state = { totals: { calls: 1 } } as unknown as PageState;
  const stream = new EventStream(() => state);
  stream.open(response as never);
  assert.equal(response.frames.length, 1);
  response.takes = false;
  for (let i = 0; i < 1000; i++) stream.send([{ type: "members", members: [] }]);
  assert.equal(response.frames.length, 2, "the frame that filled it, and none after");
  state = { totals: { calls: 9 } } as unknown as PageState;
  response.takes = true;
  response.emit("drain");
  assert.deepEqual(response.frames.slice(2), [[{ type: "snapshot", state: { totals: { calls: 9 } } }]]);
  stream.send([{ type: "members", members: [] }]);
  assert.equal(response.frames.length, 4);
});

/** A browser whose socket is full, or not, as told. */
class FakeResponse {
  takes = true;
  readonly frames: LiveEvent[][] = [];
  readonly #listeners = new Map<string, () => void>();
  on(name: string, listener: () => void): void {
    this.#listeners.set(name, listener);
  }
  emit(name: string): void {
    this.#listeners.get(name)?.();
  }
  writeHead(): void {}
  write(text: string): boolean {
    if (text.startsWith("data: ")) this.frames.push(JSON.parse(text.slice("data: ".length)) as LiveEvent[]);
    return this.takes;
  }
}

async function* framesOf(stream: NodeJS.ReadableStream): AsyncGenerator<LiveEvent[]> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const frame = text.slice(0, end);
      text = text.slice(end + 2);
      if (frame.startsWith("data: ")) yield JSON.parse(frame.slice("data: ".length)) as LiveEvent[];
    }
  }
}

async function next(frames: AsyncGenerator<LiveEvent[]>): Promise<LiveEvent[]> {
  const { value } = (await frames.next()) as { value: LiveEvent[] | undefined };
  assert.ok(value !== undefined, "The stream ended");
  return value;
}
