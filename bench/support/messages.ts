import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Sends a message to a child over its IPC channel; resolves with the next one from it. Rejects when it ends first. */
export async function ask<T>(child: ChildProcess, message: object | string): Promise<T> {
  const answer = next<T>(child);
  child.send(message);
  return answer;
}

/** The next message from a child. Rejects when it ends first, instead of waiting for ever. */
export async function next<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, "exit", { signal }).then(() => Promise.reject(new Error("The process ended")));
  try {
    const [message] = (await Promise.race([once(child, "message", { signal }), ended])) as [T];
    return message;
  } finally {
    ended.catch(() => {});
    settled.abort();
  }
}
