import { makeField } from "./codec.ts";
import type { Def } from "./node.ts";
import type { AnyCodec, Infer, OptionalField } from "./types.ts";

/** Declaration of an optional field. Other declarations have no `inner`. */
export interface OptionalDef extends Def {
  readonly inner?: Def;
  readonly fill: (() => unknown) | undefined;
}

/** Options of {@link optional}. */
export interface OptionalOptions<C> {
  /** The value of an absent field, or a function that makes a fresh one each time. */
  readonly default: Infer<C> | (() => Infer<C>);
}

/** A field of a struct that may be absent. An absent key and `undefined` are the same. */
export function optional<C extends AnyCodec>(codec: C): OptionalField<C, true>;
/**
 * A field of a struct that may be absent in what is encoded, and is always present in what is decoded. Plain objects
 * and arrays as default are shared by all values: give a function to have a fresh one each time.
 */
export function optional<C extends AnyCodec>(codec: C, options: OptionalOptions<C>): OptionalField<C, "input">;
export function optional<C extends AnyCodec>(
  codec: C,
  options?: { readonly default: unknown },
): OptionalField<C, true | "input"> {
  const inner = codec?.["~def"] as OptionalDef | undefined;
  if (inner === undefined) throw new TypeError("optional takes a codec");
  if (inner.inner !== undefined) throw new TypeError("optional takes a codec, got an optional");
  let fill: (() => unknown) | undefined;
  if (options !== undefined) {
    const value = options.default;
    fill = typeof value === "function" ? (value as () => unknown) : () => value;
  }
  const def: OptionalDef = {
    kind: "optional",
    inner,
    fill,
    build: (plan) => plan.node(inner),
    describe: (schemas) => inner.describe(schemas),
  };
  return makeField<OptionalField<C, true | "input">>(def);
}
