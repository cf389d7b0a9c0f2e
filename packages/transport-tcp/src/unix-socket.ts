import { RpcError } from "@pipit/protocol";
import { builtin } from "./builtin.ts";
import { platformCode } from "./node-error.ts";

/** Longest path of a Unix socket in bytes: the field of `sockaddr_un` less its closing zero. */
const maxPathBytes = process.platform === "darwin" ? 103 : 107;

/** @throws RpcError `invalid_argument` when the system could not take the path, or would cut it silently */
export function checkSocketPath(path: string): void {
  const lengthBytes = Buffer.byteLength(path);
  if (lengthBytes > maxPathBytes) {
    throw new RpcError(
      "invalid_argument",
      `Cannot listen on unix:${path}: the path has ${lengthBytes} bytes, and a socket's path may have ${maxPathBytes}`,
    );
  }
  if (path.includes("\0")) {
    throw new RpcError(
      "invalid_argument",
      `Cannot listen on ${JSON.stringify(`unix:${path}`)}: the path holds a zero byte`,
    );
  }
}

/**
 * Removes a socket file that a dead process left behind. One that answers, or a file that is no socket, is never touched.
 *
 * @returns Whether the path is free now
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const { promises: files } = builtin("node:fs");
  const before = await files.lstat(path).catch(() => undefined);
  if (before === undefined) return true;
  if (!before.isSocket() || (await answers(path))) return false;
  // Somebody else may have replaced it meanwhile; what is removed must be what was asked.
  const now = await files.lstat(path).catch(() => undefined);
  if (now === undefined) return true;
  if (now.ino !== before.ino) return false;
  await files.unlink(path);
  return true;
}

/** Whether a process listens at the path. Only a refusal says no; what is unclear counts as an answer. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = builtin("node:net").connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(platformCode(error) !== "ECONNREFUSED"));
  });
}
