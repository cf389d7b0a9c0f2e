import type { ByteStream, ByteTransport } from "@pipit/protocol";

/** Byte streams that lend what they read, as TCP does with much of it: once its owner returns, the memory holds something else. */
export function lendingStreams(inner: ByteTransport): ByteTransport {
  return {
    name: inner.name,
    connect: async (address, options) => lending(await inner.connect(address, options)),
    listen: (where, accept, options) => inner.listen(where, (stream) => accept(lending(stream)), options),
  };
}

function lending(stream: ByteStream): ByteStream {
  const start = stream.start.bind(stream);
  stream.start = (handler) => {
    const lend = (chunk: Uint8Array): void => {
      if (handler.onBorrowed === undefined) return handler.onData(chunk);
      const lent = chunk.slice();
      handler.onBorrowed(lent);
      lent.fill(0xff);
    };
    start({
      onData: lend,
      onBorrowed: lend,
      onDrain: () => handler.onDrain(),
      onEnd: () => handler.onEnd(),
      onClose: (error) => handler.onClose(error),
    });
  };
  return stream;
}
