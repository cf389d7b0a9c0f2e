import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "@pipit/protocol";

/** The certificate that the peer proved to hold, when it showed one and it was verified. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    commonName: commonName(certificate.subject),
    subjectAltNames: subjectAltNames(certificate.subjectAltName ?? ""),
    fingerprint256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

/** Node writes a subject as lines of `CN=…`, with a value that needs it escaped as in RFC 2253. */
function commonName(subject: string | undefined): string {
  const line = subject?.split("\n").find((part) => part.startsWith("CN="));
  return line?.slice("CN=".length) ?? "";
}

/**
 * Node writes names as `DNS:a.example, IP Address:10.0.0.1, URI:"…"`, where a value that could be mistaken for several (a comma
 * inside, say) is a JSON string, so that nobody smuggles a name in.
 */
export function subjectAltNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind, quoted, plain] of text.matchAll(
    /(?:^|, )(DNS|URI|IP Address):(?:("(?:[^"\\]|\\.)*")|([^,]*))/gu,
  )) {
    const value = quoted === undefined ? plain : String(JSON.parse(quoted));
    names.push(`${kind === "IP Address" ? "IP" : kind}:${value}`);
  }
  return names;
}
