import type { Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import { type BindFrame, type ReplyDescriptions, schemaBytes, type TypeDescription } from "./binding-frames.ts";
import { sameBytes } from "./bytes.ts";
import { type MessageType, typesOf } from "./message-type.ts";

/** Bounds what one connection brings of schemas that are not our own: they cost time to read and memory to remember. */
export class ForeignSchemas {
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Takes in the schemas with which a method is bound. @throws RpcError when they are too many */
  take(method: Method, theirs: Partial<BindFrame> & ReplyDescriptions): void {
    const total = this.#bytes + foreignSchemaBytes(method, theirs);
    if (total > this.#mostBytes) {
      const text = `${total} bytes of schemas that differ from this side's: at most ${this.#mostBytes} are taken on a connection`;
      throw new RpcError("resource_exhausted", text, { handled: "no" });
    }
    this.#bytes = total;
  }
}

function foreignSchemaBytes(method: Method, theirs: Partial<BindFrame> & ReplyDescriptions): number {
  const own = typesOf(method);
  let total = foreignBytes(own.response, theirs.response);
  if (theirs.request !== undefined) total += foreignBytes(own.request, theirs.request);
  for (const [name, type] of theirs.errors) total += foreignBytes(own.errors.get(name), type);
  return total;
}

function foreignBytes(own: MessageType | undefined, theirs: TypeDescription): number {
  if (theirs.form !== "schema") return 0;
  const same = own?.schema !== undefined && sameBytes(theirs.bytes, schemaBytes(own, own.schema));
  return same ? 0 : theirs.bytes.length;
}
