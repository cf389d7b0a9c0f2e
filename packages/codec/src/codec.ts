import { isCodecError } from "./codec-error.ts";
import { type Compiled, compile, mayCompile } from "./compile.ts";
import { toCodecError } from "./fault.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { interpretDecode, interpretEncode } from "./interpreter.ts";
import type { Def } from "./node.ts";
import { type Planned, planOf } from "./plan.ts";
import { Reader } from "./reader.ts";
import { type Schema, schemaOf } from "./schema.ts";
import type { DecodeOptions, EncodeOptions, StandardProps, StandardResult } from "./types.ts";
import { isBytes } from "./values.ts";
import { Writer } from "./writer.ts";

/** Small messages share buffers of this size. */
const SLAB_BYTES = 65_536;
/** Messages expected to be longer get a buffer of their own. */
const OWN_BUFFER_BYTES = 8192;

/** Where `encode` writes small messages; taken away while an `encode` runs, so that one inside another finds none. */
let slab: Writer | undefined;

/** Codes and decodes one schema: compiled where that is allowed, with the interpreter for all else. */
class Engine {
  readonly planned: Planned;
  readonly compiled: Compiled | undefined;
  /** Bytes that the next message may need, by those before it. Steers buffers, never bytes. */
  hint = 128;

  constructor(planned: Planned, compiled: Compiled | undefined) {
    this.planned = planned;
    this.compiled = compiled;
  }

  encodeTo(writer: Writer, value: unknown): void {
    if (this.compiled !== undefined) {
      try {
        return this.compiled.encode(writer, value);
      } catch {
        // The interpreter says why, or does it after all: the value may hold a getter that encodes.
      }
    }
    interpretEncode(this.planned, writer, value);
  }

  decodeFrom(reader: Reader, views: boolean): unknown {
    if (this.compiled !== undefined) {
      try {
        const value = this.compiled.decode(reader.bytes, reader.view, reader.pos, reader.end, views);
        reader.pos = reader.end;
        return value;
      } catch {
        // The interpreter says why.
      }
    }
    return interpretDecode(this.planned, reader, views);
  }

  decode(bytes: Uint8Array, views: boolean): unknown {
    if (this.compiled !== undefined) {
      try {
        return this.compiled.decode(bytes, undefined, 0, bytes.length, views);
      } catch {
        // As above.
      }
    }
    return interpretDecode(this.planned, new Reader(bytes), views);
  }
}

/** What all codecs are. Its methods do not work when taken off the object. */
class SchemaCodec {
  readonly "~def": Def;
  readonly #interpret: boolean;
  #engine: Engine | undefined;
  #schema: Schema | undefined;
  #fingerprint: string | undefined;
  #standard: StandardProps | undefined;

  constructor(def: Def, interpret: boolean, engine?: Engine) {
    this["~def"] = def;
    this.#interpret = interpret;
    this.#engine = engine;
  }

  get engine(): Engine {
    return (this.#engine ??= this.#start());
  }

  #start(): Engine {
    try {
      const planned = planOf(this["~def"]);
      const generated = !this.#interpret && !planned.foreign && planned.node.root === undefined && mayCompile();
      return new Engine(planned, generated ? compile(planned) : undefined);
    } catch (error) {
      throw error instanceof TypeError ? error : toCodecError(error);
    }
  }

  encode(value: unknown, options?: EncodeOptions): Uint8Array {
    const { engine } = this;
    const own = engine.hint > OWN_BUFFER_BYTES;
    let writer = own ? undefined : slab;
    slab = own ? slab : undefined;
    if (writer === undefined || writer.bytes.length - writer.pos < engine.hint) {
      writer = new Writer(own ? engine.hint : SLAB_BYTES);
    }
    const start = writer.pos;
    try {
      engine.encodeTo(writer, value);
    } finally {
      if (!own && writer.bytes.length === SLAB_BYTES) slab = writer;
    }
    const size = writer.pos - start;
    const wanted = size + (size >> 3) + 64;
    engine.hint = wanted > engine.hint ? wanted : Math.max(engine.hint - (engine.hint >> 6), wanted);
    const { bytes } = writer;
    if (options?.copy) return new Uint8Array(bytes.subarray(start, writer.pos));
    return new Uint8Array(writer.buffer, bytes.byteOffset + start, size);
  }

  decode(bytes: Uint8Array, options?: DecodeOptions): unknown {
    if (!isBytes(bytes)) throw new TypeError("decode takes a Uint8Array");
    return this.engine.decode(bytes, options !== undefined && options.views === true);
  }

  encodeTo(writer: Writer, value: unknown): void {
    this.engine.encodeTo(writer, value);
  }

  decodeFrom(reader: Reader, options?: DecodeOptions): unknown {
    return this.engine.decodeFrom(reader, options?.views === true);
  }

  is(value: unknown): boolean {
    try {
      interpretEncode(this.engine.planned, new Writer(), value, true);
      return true;
    } catch (error) {
      if (isCodecError(error) && error.code !== "schema") return false;
      throw error;
    }
  }

  get schema(): Schema {
    return (this.#schema ??= schemaOf(this["~def"]));
  }

  get fingerprint(): string {
    return (this.#fingerprint ??= fingerprintOf(this.schema));
  }

  get "~standard"(): StandardProps {
    return (this.#standard ??= {
      version: 1,
      vendor: "pipit",
      validate: (value: unknown): StandardResult<unknown> => {
        try {
          const writer = new Writer();
          interpretEncode(this.engine.planned, writer, value);
          return { value: this.decode(writer.bytes.subarray(0, writer.pos)) };
        } catch (error) {
          if (!isCodecError(error) || error.code === "schema") throw error;
          return { issues: [{ message: error.detail, path: pathKeys(error.path) }] };
        }
      },
    });
  }
}

/** The keys of a path such as `$.orders[3]["odd key"]`. */
function pathKeys(path: string): PropertyKey[] {
  const keys: PropertyKey[] = [];
  for (const [, name, index, quoted] of path.matchAll(/\.([\w$]+)|\[(\d+)\]|\[(?:string )?("(?:[^"\\]|\\.)*")\]/g)) {
    keys.push(name ?? (index !== undefined ? Number(index) : (JSON.parse(quoted as string) as string)));
  }
  return keys;
}

/** A codec of a declaration. `C` is the type that it goes by. */
export function makeCodec<C>(def: Def): C {
  return new SchemaCodec(def, false) as C;
}

/** An optional field of a declaration. */
export function makeField<C>(def: Def): C {
  return Object.freeze({ "~def": def }) as C;
}

/**
 * The same codec, never compiled. Codecs notice by themselves where `new Function` is forbidden; this is for tests, and
 * for schemas so large and so seldom used that compiling them would cost more than it gives.
 */
export function interpreted<C extends { readonly "~def": Def }>(codec: C): C {
  return new SchemaCodec(codec["~def"], true) as never;
}

/** A codec with code that was generated before. */
export function attachCompiled<C>(def: Def, planned: Planned, compiled: Compiled): C {
  return new SchemaCodec(def, false, new Engine(planned, compiled)) as C;
}
