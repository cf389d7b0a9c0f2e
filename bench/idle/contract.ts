import { service, string, struct, unary } from "pipit";

const Text = struct({ text: string });

export const Idle = service("bench.Idle", { echo: unary(Text, Text, { idempotency: "safe" }) });
