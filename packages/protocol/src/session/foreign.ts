/*
 * Somebody speaks another protocol to us, or we to somebody else: say so in words, and where that peer can read them.
 */

const ascii = new TextDecoder("latin1");

/** Request methods whose first bytes mean HTTP. */
const httpMethods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PRI) /;

/** Longest HTTP head that is waited for. */
const maxHttpHeadBytes = 8192;

/** What a stranger's first bytes are. */
export type Foreign = "http" | "http_partial" | "tls" | "unknown";

/** Recognises a protocol by its first bytes. */
export function recognise(bytes: Uint8Array): Foreign {
  if (bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 0x03)) return "tls";
  const text = ascii.decode(bytes.subarray(0, maxHttpHeadBytes));
  if (httpMethods.test(text)) {
    return text.includes("\r\n\r\n") || bytes.length >= maxHttpHeadBytes ? "http" : "http_partial";
  }
  if (bytes.length < 8 && /^[A-Z]+$/.test(text)) return "http_partial";
  return "unknown";
}

/** A TLS alert, fatal, protocol_version: what a TLS client that meets a plain port can report. */
export const tlsAlert: Uint8Array = new Uint8Array([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);

/** The HTTP answer of a Pipit port: probes get 200 or 503, everybody else is told what this is. */
export function httpAnswer(request: Uint8Array, ready: boolean): Uint8Array {
  const [, method = "", path = ""] = /^(\S+) (\S+)/.exec(ascii.decode(request.subarray(0, maxHttpHeadBytes))) ?? [];
  const [status, body] = answerTo(path.split("?")[0] ?? "", ready);
  const head = [
    `HTTP/1.1 ${status}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${body.length}`,
    "connection: close",
    "",
    "",
  ].join("\r\n");
  return new TextEncoder().encode(method === "HEAD" ? head : head + body);
}

function answerTo(path: string, ready: boolean): readonly [string, string] {
  if (path === "/livez") return ["200 OK", "ok\n"];
  if (path === "/readyz") return ready ? ["200 OK", "ok\n"] : ["503 Service Unavailable", "draining\n"];
  return [
    "400 Bad Request",
    "This port speaks Pipit RPC, not HTTP. Only GET /livez and GET /readyz are answered here.\n",
  ];
}

/** Why a server's first bytes are not Pipit's, for the client's error message. */
export function foreignAnswer(address: string, bytes: Uint8Array): string {
  const text = ascii.decode(bytes.subarray(0, 64));
  if (text.startsWith("HTTP/")) return `${address} answers in HTTP, not Pipit; check the port`;
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) {
    return `${address} speaks TLS; give the client transport: tcp({ tls: … })`;
  }
  if (text.startsWith("SSH-")) return `${address} is an SSH server, not Pipit; check the port`;
  const shown = text.replace(/[^\x20-\x7e]/g, ".").slice(0, 24);
  return `${address} does not speak Pipit: it began with ${JSON.stringify(shown)}`;
}
