import type * as dns from "node:dns";
import type * as fs from "node:fs";
import type * as net from "node:net";
import type * as tls from "node:tls";
// oxlint-disable-next-line import/no-nodejs-modules -- the only way to a module of Node before 20.16
import { createRequire } from "node:module";

/** Modules of Node that are loaded when something first needs them. */
interface Builtins {
  readonly "node:dns": typeof dns;
  readonly "node:fs": typeof fs;
  readonly "node:net": typeof net;
  readonly "node:tls": typeof tls;
}

/** Whether this is Node itself, and not a runtime with modules of its own under Node's names. */
export const isNode: boolean = !("bun" in process.versions) && !("deno" in process.versions);

/**
 * A module of Node, loaded by its first use: an `import` would load it with the package, and a process that makes plain
 * calls would pay for TLS. Bundlers see nothing to follow here, and there is nothing: the module is part of the runtime.
 */
export function builtin<Id extends keyof Builtins>(id: Id): Builtins[Id] {
  // Node has it since 20.16. Nothing is looked for relative to the file given to the older way.
  const load = process.getBuiltinModule ?? createRequire(process.execPath);
  return load(id) as Builtins[Id];
}
