import { toCodecError } from "./fault.ts";
import type { Node } from "./node.ts";
import { planOf } from "./plan.ts";
import { writerDef } from "./reader-of.ts";
import { resolve } from "./resolve.ts";
import type { Schema } from "./schema.ts";
import type { Declaration } from "./types.ts";

/** What {@link diff} finds. */
export interface SchemaDiff {
  /** Whether the reader can read everything that the writer may write. */
  readonly compatible: boolean;
  /** What cannot be bridged, such as `orders[].price: writer has string, reader wants f64`. */
  readonly problems: readonly string[];
  /** What can: fields passed over or filled in, numbers widened, names changed. */
  readonly notes: readonly string[];
}

/**
 * Says in words what lies between a writer's schema and a reader: `readerOf` throws exactly when this is not compatible.
 *
 * @throws CodecError `schema` when one of them is not a schema
 */
export function diff(writer: Schema | HasDef, reader: Schema | HasDef): SchemaDiff {
  try {
    const { problems, notes } = resolve(nodeOf(writer), nodeOf(reader));
    return { compatible: problems.length === 0, problems, notes };
  } catch (error) {
    throw toCodecError(error);
  }
}

function nodeOf(side: Schema | HasDef): Node {
  return planOf(isCodec(side) ? side["~def"] : writerDef(side)).node;
}

/** A codec, as far as this file is concerned. */
export interface HasDef {
  readonly "~def": Declaration;
}

function isCodec(value: Schema | HasDef): value is HasDef {
  return typeof value === "object" && value !== null && "~def" in value;
}
