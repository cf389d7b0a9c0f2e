import type { IncomingHttpHeaders } from "node:http";

/*
 * The gateway listens on loopback, but so does the browser of whoever runs the demo, and any web page it has open can send
 * requests to loopback. Two checks keep strangers' pages out; no cookie and no token is needed, since there is no login.
 */

/** Names under which a browser on this machine reaches loopback. */
const loopbackNames: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Why a request is refused, or `undefined` when it is ours.
 *
 * - `Host` must be loopback: a stranger's name that was re-bound to 127.0.0.1 (DNS rebinding) is not.
 * - What changes something must come from our own page: browsers set `Origin` on every POST and pages cannot forge it. Programs such as
 *   curl send none; they could open the socket anyway, so they may pass.
 * - JSON only: a stranger's form cannot send it without asking first (CORS preflight), which we never grant.
 */
export function refusal(method: string, headers: IncomingHttpHeaders): string | undefined {
  const host = headers.host ?? "";
  const name = host.replace(/:\d+$/, "");
  if (!loopbackNames.has(name)) return `Host ${JSON.stringify(host)} is not this machine's loopback`;
  if (method === "GET" || method === "HEAD") return undefined;
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return `Origin ${JSON.stringify(origin)} is not this page`;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return `A request from another site is not taken (${site})`;
  const type = headers["content-type"]?.split(";")[0]?.trim();
  if (type !== "application/json") return `Content-Type ${JSON.stringify(type)}: expected application/json`;
  return undefined;
}
