import { childDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { fail } from "./fault.ts";
import type { Def } from "./node.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of a codec that is named before it exists. */
export interface LazyTypes<C> {
  readonly output: Infer<C>;
  readonly input: InferInput<C>;
}

/** A codec that is named before it exists. */
export interface LazyCodec<C> extends CodecOf<LazyTypes<C>> {}

/** A codec that is declared later: `get` is called once, when a value is first coded. It leaves no trace in the schema. */
export function lazy<C extends AnyCodec>(get: () => C): LazyCodec<C> {
  if (typeof get !== "function") throw new TypeError("lazy takes a function that gives a codec");
  let target: Def | undefined;
  let busy = false;
  const resolve = (): Def => {
    if (busy) fail("schema", "lazy codecs refer to each other and to nothing else");
    target ??= childDef(get(), "lazy");
    return target;
  };
  const guarded = <T>(work: (def: Def) => T): T => {
    const def = resolve();
    busy = def.kind === "lazy";
    try {
      return work(def);
    } finally {
      busy = false;
    }
  };
  return makeCodec<LazyCodec<C>>({
    kind: "lazy",
    build: (plan) => guarded((def) => plan.node(def)),
    describe: (schemas) => guarded((def) => def.describe(schemas)),
  });
}
