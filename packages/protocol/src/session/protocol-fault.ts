/**
 * The peer broke the wire protocol: the connection ends and this is said to it. Our own mistakes are `TypeError`s; what
 * a caller is told is an `RpcError`.
 */
export class ProtocolFault extends Error {
  override readonly name = "ProtocolFault";
}
