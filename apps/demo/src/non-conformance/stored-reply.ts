import { bytes, optional, Code, enumeration, type ReplyClaim, string, struct, union } from "pipit";

/** What a `once` call was answered, as stores keep it. */
export type StoredReply = Extract<ReplyClaim, { readonly type: "replied" }>["reply"];

/** The same for a database. */
const Kept = union({
  reply: bytes,
  error: struct({
    code: enumeration(Object.values(Code) as [Code, ...Code[]]),
    message: string,
    error: optional(string),
    data: optional(bytes),
  }),
});

export function encodeReply(reply: StoredReply): Uint8Array {
  return Kept.encode(reply.type === "reply" ? { type: "reply", value: reply.bytes } : { type: "error", value: reply });
}

export function decodeReply(body: Uint8Array): StoredReply {
  const kept = Kept.decode(body);
  return kept.type === "reply" ? { type: "reply", bytes: kept.value } : { type: "error", ...kept.value };
}
