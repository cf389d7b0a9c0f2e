import type { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";
import type * as dgram from "node:dgram";
import type * as dns from "node:dns";
import type * as net from "node:net";
import type * as os from "node:os";
// oxlint-disable-next-line import/no-nodejs-modules -- the only way to a module of Node before 20.16
import { createRequire } from "node:module";

/** What is used of `node:crypto`: its randomness comes in otherwise. */
interface NodeCrypto {
  readonly createCipheriv: typeof createCipheriv;
  readonly createDecipheriv: typeof createDecipheriv;
  readonly createHash: typeof createHash;
  readonly hkdfSync: typeof hkdfSync;
}

/** Modules of Node that are loaded when something first needs them. */
interface Builtins {
  readonly "node:crypto": NodeCrypto;
  readonly "node:dgram": typeof dgram;
  readonly "node:dns": typeof dns;
  readonly "node:os": typeof os;
  readonly "node:net": typeof net;
}

/**
 * A module of Node, loaded by its first use: an `import` would load it with the package, and a client of one address
 * would pay for name resolution. Bundlers see nothing to follow here, and there is nothing: the module is part of the runtime.
 */
export function builtin<Id extends keyof Builtins>(id: Id): Builtins[Id] {
  // Node has it since 20.16. Nothing is looked for relative to the file given to the older way.
  const load = process.getBuiltinModule ?? createRequire(process.execPath);
  return load(id) as Builtins[Id];
}
