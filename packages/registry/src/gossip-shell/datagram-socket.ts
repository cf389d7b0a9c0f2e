import type { Socket } from "node:dgram";
import { ipVersion, parseIpPort } from "../address.ts";
import { builtin } from "../builtin.ts";
import { peerAddress } from "./gossip-streams.ts";

/** Kernel buffer asked for: a burst of a thousand datagrams. The kernel drops silently past it, and may grant less. */
const receiveBufferBytes = 1 << 20;

/** One bound UDP socket that speaks `host:port`. */
export interface DatagramSocket {
  /** Fire and forget. The bytes are copied; what is for no IP address and port is dropped. */
  send(to: string, bytes: Uint8Array): void;
  /** Twice is fine. */
  close(): void;
}

/**
 * Binds a UDP socket.
 *
 * @throws Error of the system, such as `EADDRINUSE`.
 */
export async function openDatagramSocket(
  port: number,
  host: string,
  onMessage: (from: string, bytes: Uint8Array) => void,
): Promise<DatagramSocket> {
  const socket = builtin("node:dgram").createSocket({
    type: ipVersion(host) === 6 ? "udp6" : "udp4",
    // Only addresses come here: without this each send would ask for a name look-up.
    lookup: (address, _options, callback) => callback(null, address, ipVersion(address)),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  // A datagram that cannot go out, or an ICMP answer, is loss like any other.
  socket.on("error", ignore);
  growReceiveBuffer(socket);
  let closed = false;
  socket.on("message", (bytes, { address, port: fromPort }) => {
    if (!closed) onMessage(peerAddress(address, fromPort), bytes);
  });
  return {
    send(to, bytes) {
      if (closed) return;
      const target = parseIpPort(to);
      if (target !== undefined) socket.send(Buffer.from(bytes), target.port, target.host, ignore);
    },
    close() {
      if (closed) return;
      closed = true;
      socket.close();
    },
  };
}

function growReceiveBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // The default is what is left.
  }
}

function ignore(): void {}
