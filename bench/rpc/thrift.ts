import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { versionOf } from "../support/version.ts";
import type { System } from "./system.ts";

/* Apache Thrift: binary protocol, framed transport. The classes below stand for what its compiler writes, line for line. */

// The library has no types.
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any;

const thrift: Untyped = createRequire(import.meta.url)("thrift");
const {
  MessageType: { CALL, REPLY },
  Type: { STRUCT, STRING, STOP },
} = thrift.Thrift;

const options = { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol };

/** A struct with one field, number 1, as generated code writes and reads it: known fields taken, others skipped. */
function writeStruct(out: Untyped, write: () => void, name: string, type: number): void {
  out.writeStructBegin(name);
  out.writeFieldBegin(name, type, 1);
  write();
  out.writeFieldEnd();
  out.writeFieldStop();
  out.writeStructEnd();
}

function readStruct<T>(input: Untyped, read: () => T): T | undefined {
  let value: T | undefined;
  input.readStructBegin();
  for (;;) {
    const { ftype, fid } = input.readFieldBegin();
    if (ftype === STOP) break;
    if (fid === 1) value = read();
    else input.skip(ftype);
    input.readFieldEnd();
  }
  input.readStructEnd();
  return value;
}

/** Arguments and result: a struct that holds the request or the reply, which is a struct that holds a string. */
function write(output: Untyped, text: string): void {
  const inner = (): void => writeStruct(output, () => output.writeString(text), "name", STRING);
  writeStruct(output, inner, "request", STRUCT);
}

const read = (input: Untyped): string => readStruct(input, () => readStruct(input, () => input.readString())) ?? "";

class Client {
  readonly _reqs: Record<number, (error: Error | null, reply?: string) => void> = {};
  readonly #output: Untyped;
  #seqid = 0;
  constructor(output: Untyped, Protocol: Untyped) {
    this.#output = new Protocol(output);
  }
  tiny(name: string): Promise<{ message: string }> {
    return new Promise((resolve, reject) => {
      const seqid = ++this.#seqid;
      this._reqs[seqid] = (error, message = "") => (error === null ? resolve({ message }) : reject(error));
      this.#output.writeMessageBegin("tiny", CALL, seqid);
      write(this.#output, name);
      this.#output.writeMessageEnd();
      this.#output.flush();
    });
  }
  /** Called by the library when a reply has come. */
  recv_tiny(input: Untyped, _type: number, seqid: number): void {
    const settle = this._reqs[seqid];
    delete this._reqs[seqid];
    const message = read(input);
    input.readMessageEnd();
    settle?.(null, message);
  }
}

class Processor {
  process(input: Untyped, output: Untyped): void {
    const { fname, rseqid } = input.readMessageBegin();
    const name = read(input);
    input.readMessageEnd();
    output.writeMessageBegin(fname, REPLY, rseqid);
    write(output, `Hello, ${name}!`);
    output.writeMessageEnd();
    output.flush();
  }
}

export const apacheThrift: System = {
  name: `Thrift ${versionOf("thrift")}, binary`,
  serve: () =>
    new Promise((resolve) => {
      const server = thrift.createServer(Processor, {}, options);
      server.on("error", () => {});
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    }),
  connect: async (port) => {
    const connection = thrift.createConnection("127.0.0.1", port, options);
    connection.on("error", () => {});
    const client = thrift.createClient(Client, connection) as Client;
    return { tiny: (name) => client.tiny(name), close: () => connection.end() };
  },
};
