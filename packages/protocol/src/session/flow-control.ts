import { type BytePool, HeldBytes } from "./held-bytes.ts";
import type { SessionLimits } from "./limits.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { type RenewedWindow, WindowGrowth } from "./window-growth.ts";
import { base } from "./wire.ts";

/*
 * Credit for items (wire protocol, section "Flow control"): each takes its size from the window of its stream and from that of the
 * connection, and credit is given back as they are consumed. Computes only; what is to be sent the caller sends.
 */

/** Largest credit: past it the peer's arithmetic is broken, or meant to break ours. */
const maxCredit = 2 ** 40;

/** Credit of one stream, each way. */
export interface StreamCredit extends RenewedWindow {
  /** Credit that the peer has given, less what was spent: on top of the window with which every stream begins. */
  sendBalance: number;
  /** Bytes of items that the peer may still send. */
  receiveCredit: number;
  /** What `receiveCredit` is kept up to as items are consumed. */
  windowBytes: number;
  /** Bytes consumed that the peer has not been told of. */
  unreleased: number;
  /** Bytes of items handed up and not yet consumed. */
  unconsumed: number;
}

/** What bounds credit. */
export type FlowLimits = Pick<
  SessionLimits,
  "streamWindowBytes" | "maxStreamWindowBytes" | "connectionWindowBytes" | "maxProcessUnreadBytes"
>;

/** The credit of one connection, and what its streams have in common. */
export class FlowControl {
  /** Window that a new stream's items have here. */
  readonly streamWindowBytes: number;
  readonly #mostStreamWindowBytes: number;
  readonly #windowBytes: number;
  /** Items that were handed up and not yet consumed. */
  readonly #unread: HeldBytes;
  readonly #mostUnreadBytes: number;
  /** What the peer lets each stream begin with. Kept here, since streams may be open before the preface tells it. */
  #firstSendCredit: number = base.streamWindowBytes;
  #sendCredit: number = base.connectionWindowBytes;
  #receiveCredit: number;
  #unreleased = 0;
  /** Made when half a window is first used up: most connections carry few items or none. */
  #growth: WindowGrowth | undefined;

  constructor(limits: FlowLimits, pool: BytePool) {
    this.#unread = new HeldBytes(pool);
    this.#mostUnreadBytes = limits.maxProcessUnreadBytes;
    this.streamWindowBytes = Math.max(base.streamWindowBytes, limits.streamWindowBytes);
    this.#mostStreamWindowBytes = limits.maxStreamWindowBytes;
    this.#windowBytes = Math.max(base.connectionWindowBytes, limits.connectionWindowBytes);
    this.#receiveCredit = this.#windowBytes;
  }

  // Sending.

  /** The peer's preface says how large its windows are. */
  onPeerWindows(streamWindowBytes: number, connectionWindowBytes: number): void {
    this.#firstSendCredit = Math.max(base.streamWindowBytes, streamWindowBytes);
    this.#sendCredit += Math.max(0, connectionWindowBytes - base.connectionWindowBytes);
  }

  /** Whether the connection has credit, so that some stream may. */
  get hasCredit(): boolean {
    return this.#sendCredit > 0;
  }

  /** Whether an item may be sent on the stream now. It may overdraw what there is. */
  maySend(stream: StreamCredit): boolean {
    return this.#firstSendCredit + stream.sendBalance > 0 && this.#sendCredit > 0;
  }

  /** An item of so many bytes was sent. */
  spend(stream: StreamCredit, bytes: number): void {
    stream.sendBalance -= bytes;
    this.#sendCredit -= bytes;
  }

  /** An item that was paid for is not sent, and its stream has ended. Whether the connection had no credit before. */
  takeBack(bytes: number): boolean {
    const had = this.hasCredit;
    this.#sendCredit += bytes;
    return !had && this.hasCredit;
  }

  /** The peer gave a stream credit. @throws ProtocolFault when it is beyond measure */
  onCredit(stream: StreamCredit, bytes: number): void {
    checkCredit(this.#firstSendCredit + stream.sendBalance, bytes);
    stream.sendBalance += bytes;
  }

  /** The peer gave the connection credit. @throws ProtocolFault when it is beyond measure */
  onConnectionCredit(bytes: number): void {
    checkCredit(this.#sendCredit, bytes);
    this.#sendCredit += bytes;
  }

  // Receiving.

  /** An item of so many bytes came. @throws ProtocolFault when the peer had no credit for it */
  take(stream: StreamCredit, bytes: number): void {
    if (stream.receiveCredit <= 0 || this.#receiveCredit <= 0) throw new ProtocolFault("Item beyond the window");
    stream.receiveCredit -= bytes;
    this.#receiveCredit -= bytes;
    stream.unconsumed += bytes;
    this.#unread.take(bytes);
  }

  /** Whether the process holds too much unread, and this connection more than the window of one stream: what came last cannot stay. */
  get holdsTooMuch(): boolean {
    return this.#unread.pool.heldBytes > this.#mostUnreadBytes && this.#unread.heldBytes > this.streamWindowBytes;
  }

  /** The connection has ended: nothing of it counts for the process any more. */
  close(): void {
    this.#unread.close();
  }

  /** An item came for a stream that has ended. Returns credit to give back to the connection; mostly 0. */
  takeLate(bytes: number): number {
    this.#receiveCredit -= bytes;
    return this.#giveBack(bytes);
  }

  /** Items of a stream were consumed, or, by default, nobody will. Returns credit to give back to the connection; mostly 0. */
  consume(stream: StreamCredit, bytes: number = stream.unconsumed): number {
    const consumed = Math.min(bytes, stream.unconsumed);
    stream.unconsumed -= consumed;
    stream.unreleased += consumed;
    this.#unread.giveBack(consumed);
    return this.#giveBack(consumed);
  }

  /** Whether so much of a stream's window is used up that the peer should be given credit. */
  isRenewalDue(stream: StreamCredit): boolean {
    return stream.unreleased * 2 >= stream.windowBytes;
  }

  /** Renewal is due: looks whether windows should be larger. True when a measuring ping is to be sent now. */
  measure(stream: StreamCredit, nowMs: number): boolean {
    if (!this.#mayGrow) return false;
    this.#growth ??= new WindowGrowth(this.streamWindowBytes, this.#mostStreamWindowBytes);
    return this.#growth.renew(stream, nowMs);
  }

  /** A measuring ping came back. */
  onMeasured(nowMs: number): void {
    this.#growth?.onPong(nowMs);
  }

  /** Renews the window of a stream, at the size that windows have now. Returns the credit to give. */
  renew(stream: StreamCredit): number {
    const grown = this.#growth?.windowBytes ?? 0;
    const windowBytes = grown > stream.windowBytes && this.#mayGrow ? grown : stream.windowBytes;
    const credit = stream.unreleased + windowBytes - stream.windowBytes;
    stream.windowBytes = windowBytes;
    stream.unreleased = 0;
    stream.receiveCredit += credit;
    return credit;
  }

  /** Whether the process holds so little unread that windows may be larger. */
  get #mayGrow(): boolean {
    return this.#unread.pool.heldBytes * 2 <= this.#mostUnreadBytes;
  }

  /** Small amounts are collected: a connection is told of a quarter of its window at a time. */
  #giveBack(bytes: number): number {
    this.#unreleased += bytes;
    if (this.#unreleased * 4 < this.#windowBytes) return 0;
    const credit = this.#unreleased;
    this.#unreleased = 0;
    this.#receiveCredit += credit;
    return credit;
  }
}

function checkCredit(credit: number, more: number): void {
  if (more > maxCredit || credit + more > maxCredit) throw new ProtocolFault(`Credit beyond ${maxCredit} bytes`);
}
