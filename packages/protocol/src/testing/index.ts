/** What proves that a byte transport keeps its contract: for authors of transports. */
export { ByteStreamProbe } from "./byte-stream-probe.ts";
export { byteTransportSuite, type ByteTransportUnderTest } from "./byte-transport-suite.ts";
