import { joinHostPort } from "../address.ts";

/** What is wrong with a place to bind, and what to do, by code of the system. */
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another socket has this port, for UDP or for TCP; choose another, or 0 for any",
  EADDRNOTAVAIL:
    "this machine has no such address; bind one that it has, or 0.0.0.0, and say what others reach in `advertise`",
  EACCES: "this process may not use this port; choose one above 1023",
};

/** The error of a bind, with the place and the cause in words, and the system's `code`. */
export function bindError(error: unknown, host: string, port: number): unknown {
  const { code } = error as { readonly code?: string };
  const reason = code === undefined ? undefined : reasons[code];
  if (reason === undefined) return error;
  return Object.assign(new Error(`Cannot open gossip on ${joinHostPort(host, port)}: ${reason}`, { cause: error }), {
    code,
  });
}
