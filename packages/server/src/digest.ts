import type { createHash } from "node:crypto";
// oxlint-disable-next-line import/no-nodejs-modules -- the only way to a module of Node before 20.16
import { createRequire } from "node:module";

interface Crypto {
  readonly createHash: typeof createHash;
}

let loaded: Crypto | undefined;

/** `node:crypto`, loaded by its first use: an `import` would load it with the package, and most servers have no `once` method. */
function load(): Crypto {
  return (loaded ??= (process.getBuiltinModule ?? createRequire(process.execPath))("node:crypto") as Crypto);
}

/** SHA-256 (FIPS 180-4) in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return load().createHash("sha256").update(bytes).digest("hex");
}
