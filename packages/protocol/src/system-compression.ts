import type { Compression, CompressionAlgorithm } from "./compression.ts";

/** `node:zlib`'s one-shot functions, which work in the thread pool, a piece at a time. */
type Coder = (
  bytes: Uint8Array,
  options: CoderOptions,
  done: (error: Error | null, result: Uint8Array) => void,
) => unknown;

interface CoderOptions {
  readonly level?: number;
  readonly chunkSize?: number;
  readonly maxOutputLength?: number;
}

/** What is used of `node:zlib`; zstd came with Node 22.15 and 23.8. */
interface Zlib {
  readonly deflate: Coder;
  readonly inflate: Coder;
  readonly zstdCompress?: Coder;
  readonly zstdDecompress?: Coder;
}

/** Output is taken from the thread pool in pieces of this size. */
const pieceBytes = 64 * 1024;
/** Smallest piece that zlib works with. */
const leastPieceBytes = 64;

/** Fast before small: a message that is worth more is one that should be stored packed. */
const deflateLevel = 1;

let loading: Promise<Zlib> | undefined;

/** Loaded on first use: most processes never compress, and all start. */
function load(): Promise<Zlib> {
  return (loading ??= import("node:zlib") as unknown as Promise<Zlib>);
}

/** The compression of `node:zlib`, in the thread pool: zstd (RFC 8878) where this Node has it, and deflate (RFC 1950). */
export const systemCompression: Compression = {
  algorithms: "zstd" in process.versions ? ["zstd", "deflate"] : ["deflate"],
  pack(algorithm, bytes, done) {
    void run((zlib) => (algorithm === "zstd" ? zlib.zstdCompress : zlib.deflate), bytes, packOptions(algorithm), done);
  },
  unpack(algorithm, packed, sizeBytes, done) {
    const options = {
      maxOutputLength: sizeBytes,
      chunkSize: Math.max(leastPieceBytes, Math.min(sizeBytes, pieceBytes)),
    };
    void run(
      (zlib) => (algorithm === "zstd" ? zlib.zstdDecompress : zlib.inflate),
      packed,
      options,
      (bytes) => done(bytes?.length === sizeBytes ? bytes : undefined),
    );
  },
};

function packOptions(algorithm: CompressionAlgorithm): CoderOptions {
  return algorithm === "zstd" ? { chunkSize: pieceBytes } : { chunkSize: pieceBytes, level: deflateLevel };
}

async function run(
  coderOf: (zlib: Zlib) => Coder | undefined,
  bytes: Uint8Array,
  options: CoderOptions,
  done: (result: Uint8Array | undefined) => void,
): Promise<void> {
  const coder = coderOf(await load());
  if (coder === undefined) done(undefined);
  else coder(bytes, options, (error, result) => done(error === null ? result : undefined));
}
