import { childDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { absent, fail } from "./fault.ts";
import type { Def, Node } from "./node.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of a nullable `C`. */
export interface NullableTypes<C> {
  readonly output: Infer<C> | null;
  readonly input: InferInput<C> | null;
}

/** A codec whose values may be `null`. */
export interface NullableCodec<C> extends CodecOf<NullableTypes<C>> {}

/** The value or `null`: one bit. */
export function nullable<C extends AnyCodec>(codec: C): NullableCodec<C> {
  const child = childDef(codec, "nullable");
  if (child.kind === "nullable")
    throw new TypeError("nullable takes a codec, got a nullable: null would mean two things");
  const def: Def = {
    kind: "nullable",
    build(plan) {
      const of: Node[] = [];
      const node = plan.place(def, nullableNode(of));
      of.push(plan.node(child));
      if (of[0]?.kind === "nullable") fail("schema", "nullable of a nullable: null would mean two things");
      return node;
    },
    describe: (schemas) => schemas.composite(def, "nullable", () => ({ of: child.describe(schemas) })),
  };
  return makeCodec<NullableCodec<C>>(def);
}

export function nullableNode(of: readonly Node[]): Node {
  const child = (): Node => of[0] as Node;
  return {
    kind: "nullable",
    of,
    remake: nullableNode,
    // Only known when the child is there, which comes after.
    get bits() {
      return 1 + child().bits;
    },
    most: 0,
    room: (g) => g.room(child()),
    least: () => 0,
    head(out, value) {
      if (value === null) return 0;
      return 1 | (child().head(out, value) << 1);
    },
    encode(out, value, head) {
      if ((head & 1) === 1) child().encode(out, value, head >> 1);
    },
    decode(from, head) {
      if ((head & 1) === 1) return child().decode(from, head >> 1);
      absent(head);
      return null;
    },
    genHead(g, v) {
      if (child().bits === 0) return `(${v}===null?0:1)`;
      const head = g.name();
      g.line(`let ${head}=0;`);
      g.block(`if(${v}!==null)`, () => g.line(`${head}=1|${g.head(child(), v)}<<1;`));
      return head;
    },
    genEncode(g, v, head) {
      g.block(`if(${v}!==null)`, () => g.encode(child(), v, child().bits > 0 ? `(${head}>>1)` : "0"));
    },
    genDecode(g, head) {
      const x = g.name();
      const h = g.bind(head);
      g.line(`let ${x}=null;`);
      g.block(`if(${h}&1)`, () => g.line(`${x}=${g.decode(child(), child().bits > 0 ? `(${h}>>1)` : "0")};`));
      if (child().bits > 0) g.line(`else if(${h})bad();`);
      return x;
    },
  };
}
