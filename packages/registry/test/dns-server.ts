import { createSocket } from "node:dgram";

const typeCodes: Record<number, string> = { 1: "A", 28: "AAAA", 33: "SRV" };
const ttlSeconds = 7;

/**
 * A DNS server on loopback that knows `records` ("name TYPE" to texts: an IPv4 address, or "priority weight port target").
 * `servfail.*` names fail, others without any record are NXDOMAIN, those with another type are empty (ENODATA).
 */
export async function openDnsServer(
  records: Readonly<Record<string, readonly string[]>>,
): Promise<{ port: number; close(): void }> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const { name, nextOffset } = readName(query, 12);
    const type = typeCodes[query.readUInt16BE(nextOffset)] ?? "other";
    const texts = records[`${name} ${type}`] ?? [];
    const exists = Object.keys(records).some((key) => key.startsWith(`${name} `));
    const code = name.startsWith("servfail.") ? 2 : exists ? 0 : 3;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(texts.length, 6);
    const question = query.subarray(12, nextOffset + 4);
    const answers = texts.map((text) => Buffer.concat([query.subarray(12, nextOffset), writeRecord(type, text)]));
    socket.send(Buffer.concat([header, question, ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, close: () => socket.close() };
}

function writeRecord(type: string, text: string): Buffer {
  const head = Buffer.alloc(10);
  const data = type === "A" ? Buffer.from(text.split(".").map(Number)) : writeSrv(text);
  head.writeUInt16BE(type === "A" ? 1 : 33, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttlSeconds, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([head, data]);
}

function writeSrv(text: string): Buffer {
  const [priority, weight, port, target] = text.split(" ") as [string, string, string, string];
  const numbers = Buffer.alloc(6);
  [priority, weight, port].forEach((value, index) => numbers.writeUInt16BE(Number(value), index * 2));
  const labels = target.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

function readName(message: Buffer, offset: number): { name: string; nextOffset: number } {
  const labels: string[] = [];
  let at = offset;
  for (let length = message.readUInt8(at); length !== 0; length = message.readUInt8(at)) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), nextOffset: at + 1 };
}
