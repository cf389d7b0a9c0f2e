import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseAction } from "./actions.ts";
import { EventStream } from "./event-stream.ts";
import { ActionError, type Feed } from "./feed.ts";
import { LiveState } from "./live-state.ts";
import { refusal } from "./request-guard.ts";
import { readStaticFiles } from "./static-files.ts";

/** How often browsers are told what changed: fast enough to look live, slow enough to cost nothing. */
const frameMs = 250;

/** Longest body of a POST. An action is some hundred bytes. */
const maxBodyBytes = 4096;

/** The page loads from here and nowhere else, and nobody may frame it. */
const securityHeaders = {
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

/** Options of {@link servePage}. */
export interface ServePageOptions {
  /** The running system, or the sample. Owned by the server from here on. */
  readonly feed: Feed;
  /** TCP port on loopback; 0 for any. Default 0. */
  readonly port?: number | undefined;
}

/** A page that is served. */
export interface PageServer {
  /** Address of the page. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page, its live updates and its buttons on loopback.
 *
 * @throws Error of the system when the port cannot be bound
 */
export async function servePage(options: ServePageOptions): Promise<PageServer> {
  const { feed, port = 0 } = options;
  const files = readStaticFiles();
  const live = new LiveState();
  const stream = new EventStream(() => live.state);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "/" } = request;
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const refused = refusal(method, request.headers);
    if (refused !== undefined) return reply(response, 403, { error: refused });

    // As it was sent: what is not in the table of files in just this spelling is not there.
    const [pathname = ""] = url.split("?");
    if (pathname === "/events" && method === "GET") return stream.open(response);
    if (pathname === "/actions") {
      if (method !== "POST") return reply(response.setHeader("allow", "POST"), 405, { error: "Expected POST" });
      return act(request, response);
    }
    const file = files.get(pathname);
    if (file === undefined) return reply(response, 404, { error: `Nothing at ${pathname}` });
    if (method !== "GET" && method !== "HEAD") {
      return reply(response.setHeader("allow", "GET, HEAD"), 405, { error: "Expected GET" });
    }
    response.writeHead(200, { "content-type": file.type, "cache-control": "no-cache" });
    response.end(method === "HEAD" ? undefined : file.body);
  }

  async function act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return reply(response, 413, { error: `An action is at most ${maxBodyBytes} bytes` });
    const action = parseAction(body);
    if ("error" in action) return reply(response, 400, action);
    try {
      await feed.perform(action);
      reply(response, 200, { ok: true });
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      reply(response, 409, { error: error.message });
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error("The gateway failed to answer", request.method, request.url, error);
      if (response.headersSent) response.destroy();
      else reply(response, 500, { error: "The gateway failed to answer; its log says why" });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  feed.start((event) => live.apply(event));
  const timer = setInterval(() => stream.send(live.takeChanges()), frameMs);

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      clearInterval(timer);
      stream.close();
      await feed.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** The body as text; `undefined` when it is too long. The rest is read and dropped, so that the answer can be heard. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks).toString("utf8") : undefined;
}
