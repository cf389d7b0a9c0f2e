import { array, date, enumeration, type Infer, service, string, struct, uint, unary } from "pipit";
import { ProcessKind } from "./process.ts";

/** A process as the one who started it knows it. */
export const ProcessInfo = struct({
  id: string,
  kind: ProcessKind,
  /** `stopped` after a drain, `crashed` after anything else. */
  state: enumeration(["starting", "running", "frozen", "draining", "stopped", "crashed"]),
  /** 0 when there is none. */
  pid: uint,
  startedAt: date,
  /** Starts, the first included. */
  starts: uint,
});
export type ProcessInfo = Infer<typeof ProcessInfo>;

const byId = struct({ id: string });
/** Why the wish cannot be granted; what is so already is no error. */
const errors = { unknownProcess: struct({ id: string }), wrongState: struct({ id: string, state: string }) };
const options = { idempotency: "idempotent", errors } as const;

/** Starts and ends the processes. It is the demo's own hand, so there is one, and nobody offers to break it. */
export const Supervisor = service("demo.Supervisor", {
  list: unary(struct({}), struct({ processes: array(ProcessInfo) }), { idempotency: "safe" }),
  /** kill -9. */
  crash: unary(byId, ProcessInfo, options),
  /** SIGSTOP: its sockets stay open, and nothing answers. */
  freeze: unary(byId, ProcessInfo, options),
  /** SIGCONT. */
  thaw: unary(byId, ProcessInfo, options),
  /** SIGTERM: it takes no more calls, ends those it has, and goes. Answers when it begins. */
  drain: unary(byId, ProcessInfo, options),
  /** Starts it again under its name, or thaws it. Answers when it listens. */
  revive: unary(byId, ProcessInfo, options),
  /** One more instance. Answers when it listens. */
  add: unary(struct({ kind: ProcessKind }), ProcessInfo),
});
