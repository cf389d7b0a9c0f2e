import { service, string, struct, u32, unary } from "pipit";

const Request = struct({ n: u32 });
const Reply = struct({ n: u32, server: string });

/** What every server of the fleet serves. */
export const Fleet = service("bench.Fleet", {
  get: unary(Request, Reply, { idempotency: "safe" }),
});

/** The same service, one deploy later. */
export const NewFleet = service("bench.Fleet", {
  get: unary(Request, Reply, { idempotency: "safe" }),
  added: unary(Request, Reply, { idempotency: "safe" }),
});

/** From the bench to a server. */
export type Order =
  | {
      readonly type: "listen";
      readonly port: number;
      readonly contract: "old" | "new";
      readonly serviceMs: number;
      /** Joins the gossip of these members; of none, it is the first. Absent: no registry. */
      readonly seeds?: readonly string[] | undefined;
    }
  | { readonly type: "behave"; readonly serviceMs: number; readonly fate: Fate }
  /** Closes gracefully, and ends the process. */
  | { readonly type: "stop" }
  /** Closes at once, and waits for the next order to listen. */
  | { readonly type: "rest" };

/** `unavailable` may be retried by law 4; `throw` reaches the caller as `internal`, which may not. */
export type Fate = "serve" | "unavailable" | "throw";

/** From a server to the bench. */
export type Report =
  | { readonly type: "loaded" }
  | { readonly type: "listening"; readonly port: number; readonly gossip: string | undefined };
