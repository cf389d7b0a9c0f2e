import { bidi, clientStream, oneway, serverStream, service, string, struct, u32, unary } from "pipit";

const Text = struct({ text: string });

/** A contract with a method of each kind and of each idempotency. */
export const Probe = service("laws.Probe", {
  plain: unary(Text, Text),
  safe: unary(Text, Text, { idempotency: "safe" }),
  once: unary(Text, Text, { idempotency: "once" }),
  declared: unary(Text, Text, { errors: { notFound: struct({ id: u32 }) } }),
  quick: unary(Text, Text, { timeoutMs: 40 }),
  items: serverStream(Text, Text),
  sum: clientStream(Text, Text),
  chat: bidi(Text, Text),
  note: oneway(Text),
});
