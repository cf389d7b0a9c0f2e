import { type CodecError, isCodecError } from "./codec-error.ts";
import { type Compiled, compile, mayCompile } from "./compile.ts";
import { toCodecError } from "./fault.ts";
import { interpretDecode, interpretEncode } from "./interpreter.ts";
import type { Def } from "./node.ts";
import { type Planned, planOf } from "./plan.ts";
import type { Reader } from "./reader.ts";
import { type Schema, schemaOf } from "./schema.ts";
import type { Declaration, DecodeOptions, EncodeOptions, StandardProps, StandardResult } from "./types.ts";
import { isBytes } from "./values.ts";
import { renew, Writer } from "./writer.ts";

/**
 * Messages share buffers, at least three of them one: of 64 KiB, 512 KiB or 4 MiB by their own size. To make a buffer costs as much
 * as to write some kilobytes, and the collector sees to each.
 */
const SLAB_BYTES = 65_536;

/**
 * Where `encode` writes; taken away while an `encode` runs, so that one inside another finds none. Always the same ones, with one slab after the
 * other: V8 has to note each place where something old refers to something young.
 */
const slabs: (Writer | undefined)[] = [];

/** What a codec works with from its first use on: compiled code where that is allowed, the interpreter for all else. */
interface Engine {
  readonly planned: Planned;
  readonly compiled: Compiled | undefined;
}

/** What all codecs are. Its methods do not work when taken off the object. */
class SchemaCodec {
  declare readonly "~def": Declaration;
  readonly #interpret: boolean;
  #engine: Engine | undefined;
  /** Bytes that the next message may need, by those before it. Steers buffers, never bytes. */
  #hint = 128;
  #schema: Schema | undefined;

  constructor(def: Declaration, interpret: boolean, engine?: Engine) {
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
      return { planned, compiled: generated ? compile(planned) : undefined };
    } catch (error) {
      throw error instanceof TypeError ? error : toCodecError(error);
    }
  }

  encode(value: unknown, options?: EncodeOptions): Uint8Array {
    const hint = this.#hint;
    const tier = hint < 21_846 ? 0 : hint < 174_763 ? 1 : hint < 1_398_102 ? 2 : 3;
    const slabBytes = tier < 3 ? SLAB_BYTES << (3 * tier) : 0;
    const writer = slabs[tier] ?? new Writer(0);
    slabs[tier] = undefined;
    if (writer.bytes.length - writer.pos < hint) renew(writer, slabBytes || hint);
    const start = writer.pos;
    try {
      this.encodeTo(writer, value);
    } finally {
      if (writer.bytes.length === slabBytes) slabs[tier] = writer;
    }
    const size = writer.pos - start;
    const wanted = size + (size >> 3) + 64;
    // Slowly, as sizes vary; but short messages after a long one shall not go on taking megabytes each.
    this.#hint = Math.max(hint - (hint >> (wanted * 64 < hint ? 1 : 6)), wanted);
    const message = new Uint8Array(writer.buffer, start, size);
    // A short one after long ones is copied, too: whoever keeps it would keep megabytes alive.
    return options?.copy || writer.bytes.length > SLAB_BYTES + size * 64 ? new Uint8Array(message) : message;
  }

  decode(bytes: Uint8Array, options?: DecodeOptions): unknown {
    if (!isBytes(bytes)) throw new TypeError("decode takes a Uint8Array");
    return this.#read(bytes, undefined, 0, bytes.length, options);
  }

  #read(bytes: Uint8Array, view: DataView | undefined, start: number, end: number, options?: DecodeOptions): unknown {
    const { planned, compiled } = this.engine;
    const views = options?.views === true;
    if (compiled !== undefined) {
      try {
        return compiled.decode(bytes, view, start, end, views);
      } catch {
        // The interpreter says why.
      }
    }
    return interpretDecode(planned, bytes, view, start, end, views);
  }

  encodeTo(writer: Writer, value: unknown): void {
    const { planned, compiled } = this.engine;
    if (compiled !== undefined) {
      try {
        return compiled.encode(writer, value);
      } catch {
        // The interpreter says why, or does it after all: the value may hold a getter that encodes.
      }
    }
    interpretEncode(planned, writer, value);
  }

  decodeFrom(reader: Reader, options?: DecodeOptions): unknown {
    const { bytes, view, pos, end } = reader;
    const value = this.#read(bytes, view, pos, end, options);
    reader.pos = end;
    return value;
  }

  is(value: unknown): boolean {
    return this.#accept(value, true) instanceof Writer;
  }

  /** A value that can be encoded, as bytes; otherwise what is wrong with it. */
  #accept(value: unknown, strict: boolean): Writer | CodecError {
    const writer = new Writer();
    try {
      interpretEncode(this.engine.planned, writer, value, strict);
      return writer;
    } catch (error) {
      if (isCodecError(error) && error.code !== "schema") return error;
      throw error;
    }
  }

  get schema(): Schema {
    return (this.#schema ??= schemaOf(this["~def"]));
  }

  get "~standard"(): StandardProps {
    return {
      version: 1,
      vendor: "pipit",
      validate: (value: unknown): StandardResult<unknown> => {
        const made = this.#accept(value, false);
        return made instanceof Writer
          ? { value: this.decode(made.take()) }
          : { issues: [{ message: made.detail, path: pathKeys(made.path) }] };
      },
    };
  }
}

/** The keys of a path such as `$.orders[3]["odd key"]`. */
function pathKeys(path: string): PropertyKey[] {
  const keys = path.matchAll(/\.([\w$]+)|\[(?:string )?(\d+|"(?:[^"\\]|\\.)*")\]/g);
  return Array.from(keys, ([, name, json]) => name ?? (JSON.parse(json as string) as PropertyKey));
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
export function interpreted<C extends { readonly "~def": Declaration }>(codec: C): C {
  return new SchemaCodec(codec["~def"], true) as never;
}

/** A codec with code that was generated before. One with a form of its own for whole messages has no use for it. */
export function attachCompiled<C>(def: Declaration, planned: Planned, compiled: Compiled): C {
  return new SchemaCodec(def, false, {
    planned,
    compiled: planned.node.root === undefined ? compiled : undefined,
  }) as C;
}
