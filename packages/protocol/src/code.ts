/**
 * The status codes of a failed call: gRPC's sixteen, as lower_snake strings. Whether a retry can help is said per code;
 * whether one is *allowed* depends on the method and on {@link RpcError.handled}.
 */
export const Code = {
  /** The caller gave up. No retry. */
  cancelled: "cancelled",
  /** An error of unknown kind, usually from another system. No retry. */
  unknown: "unknown",
  /** The request is wrong whatever the state of the system. No retry. */
  invalidArgument: "invalid_argument",
  /** Time ran out; the call may still have run. No retry: no time is left. */
  deadlineExceeded: "deadline_exceeded",
  /** What was asked for does not exist. No retry. */
  notFound: "not_found",
  /** What was to be created exists. No retry. */
  alreadyExists: "already_exists",
  /** The caller is known and may not. No retry. */
  permissionDenied: "permission_denied",
  /** A limit, quota or queue is full. A retry can help when the peer says after how long. */
  resourceExhausted: "resource_exhausted",
  /** The system is not in the state that the call needs. No retry before that state changed. */
  failedPrecondition: "failed_precondition",
  /** A conflict with another call. A retry can help at a higher level: read again, then try. */
  aborted: "aborted",
  /** Past the end of what there is. No retry. */
  outOfRange: "out_of_range",
  /** No such service or method here. A retry can help at another instance while a new version rolls out. */
  unimplemented: "unimplemented",
  /** A bug at the other end. No retry. */
  internal: "internal",
  /** Nobody there, or not now. A retry can help. */
  unavailable: "unavailable",
  /** Data was lost or damaged for good. No retry. */
  dataLoss: "data_loss",
  /** The caller is not known. No retry with the same credentials. */
  unauthenticated: "unauthenticated",
} as const;

/** A status code: `"deadline_exceeded"`, `"unavailable"`, … */
export type Code = (typeof Code)[keyof typeof Code];

/** Codes in the order of their numbers on the wire, which are gRPC's: 1 … 16. */
const wireOrder: readonly Code[] = [
  "cancelled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

/** The number of a code on the wire, 1 … 16 (wire protocol, section "Codes"). */
export function codeToNumber(code: Code): number {
  return wireOrder.indexOf(code) + 1;
}

/** The code of a number on the wire; an unknown number is `unknown`. */
export function codeFromNumber(number: number): Code {
  return wireOrder[number - 1] ?? "unknown";
}

/** Whether `value` is one of the sixteen codes. */
export function isCode(value: unknown): value is Code {
  return (wireOrder as readonly unknown[]).includes(value);
}
