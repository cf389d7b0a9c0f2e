import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { childDef, containerDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { describe } from "./codec-error.ts";
import { define } from "./define.ts";
import { fail, within } from "./fault.ts";
import { genReadRows, genRows } from "./generator-lists.ts";
import { leastBits, type Node } from "./node.ts";
import { string } from "./scalars.ts";
import { mapPairs, newRecord, recordPairs } from "./values.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of a record of `C`. */
export interface RecordTypes<C> {
  readonly output: { [key: string]: Infer<C> };
  readonly input: { readonly [key: string]: InferInput<C> };
}

/** A codec for objects whose keys are data. */
export interface RecordCodec<C> extends CodecOf<RecordTypes<C>> {}

/** Types of a map from `K` to `V`. */
export interface MapTypes<K, V> {
  readonly output: Map<Infer<K>, Infer<V>>;
  readonly input: ReadonlyMap<InferInput<K>, InferInput<V>>;
}

/** A codec for `Map`s. */
export interface MapCodec<K, V> extends CodecOf<MapTypes<K, V>> {}

/** Plain objects whose keys are data. Own enumerable keys, in their order; every key is an ordinary one. */
export function record<C extends AnyCodec>(codec: C): RecordCodec<C> {
  const children = [childDef(string, "record"), childDef(codec, "record")];
  return makeCodec<RecordCodec<C>>(
    containerDef(
      "record",
      children,
      (of) => pairsNode(of, true),
      ([, of]) => ({ of }),
    ),
  );
}

/** A `Map`, in its order. Equal keys are refused when decoding. */
export function map<K extends AnyCodec, V extends AnyCodec>(key: K, value: V): MapCodec<K, V> {
  const children = [childDef(key, "map"), childDef(value, "map")];
  return makeCodec<MapCodec<K, V>>(
    containerDef(
      "map",
      children,
      (of) => pairsNode(of, false),
      ([key, of]) => ({ key, of }),
    ),
  );
}

export function pairsNode(of: readonly Node[], isRecord: boolean): Node {
  const kind = isRecord ? "record" : "map";
  return {
    kind,
    of,
    remake: (of) => pairsNode(of, isRecord),
    bits: 0,
    most: 5,
    least: () => 1,
    head: () => 0,
    encode(out, object) {
      const [keys, values] = isRecord ? recordPairs(object) : mapPairs(object);
      const [key, value] = of as readonly [Node, Node];
      const n = keys.length;
      const bits = key.bits + value.bits;
      out.leb(n);
      const start = openBits(out, n * bits);
      let i = 0;
      try {
        for (; i < n; i++) {
          const k = keys[i];
          const v = values[i];
          let keyHead = 0;
          let head = 0;
          if (bits > 0) {
            keyHead = key.head(out, k);
            head = value.head(out, v);
            putBits(out.writer.bytes, start, i * bits, key.bits, keyHead);
            putBits(out.writer.bytes, start, i * bits + key.bits, value.bits, head);
          }
          key.encode(out, k, keyHead);
          value.encode(out, v, head);
        }
      } catch (error) {
        throw within(error, `[${describe(keys[i])}]`);
      }
    },
    decode(from) {
      const [key, value] = of as readonly [Node, Node];
      const bits = key.bits + value.bits;
      const n = from.count(leastBits(of));
      const start = takeBits(from, n * bits);
      const pairs: Record<string, unknown> | Map<unknown, unknown> = isRecord ? newRecord(n) : new Map();
      let i = 0;
      let k: unknown;
      try {
        for (; i < n; i++) {
          k = undefined;
          const keyHead = key.bits > 0 ? getBits(from.bytes, start, i * bits, key.bits) : 0;
          const head = value.bits > 0 ? getBits(from.bytes, start, i * bits + key.bits, value.bits) : 0;
          k = key.decode(from, keyHead);
          const v = value.decode(from, head);
          if (pairs instanceof Map) pairs.set(k, v);
          else if (Object.hasOwn(pairs, k as string)) break;
          else if (k === "__proto__") define(pairs, k, v);
          else pairs[k as string] = v;
        }
      } catch (error) {
        throw within(error, `[${describe(k)}]`);
      }
      if ((pairs instanceof Map ? pairs.size : i) !== n) fail("malformed", `${kind} with equal keys`);
      return pairs;
    },
    genEncode(g, v) {
      const pairs = g.bind(`${g.external(isRecord ? recordPairs : mapPairs)}(${v})`);
      const lists = [g.bind(`${pairs}[0]`), g.bind(`${pairs}[1]`)];
      const n = g.bind(`${lists[0]}.length`);
      g.line(g.leb(n));
      genRows(g, of, lists, n);
    },
    genDecode(g) {
      const create = (n: string): string => (isRecord ? `${g.external(newRecord)}(${n})` : "new Map()");
      const { rows, n } = genReadRows(g, of, create, (pairs, [k, x]) => {
        // Asking for each key costs a tenth of counting them in the end, which sorts them.
        if (isRecord) {
          g.line(`if(Object.hasOwn(${pairs},${k}))bad();`);
          g.line(`if(${k}==="__proto__")${g.external(define)}(${pairs},${k},${x});else ${pairs}[${k}]=${x};`);
        } else g.line(`${pairs}.set(${k},${x});`);
      });
      if (!isRecord) g.line(`if(${rows}.size!==${n})bad();`);
      return rows;
    },
  };
}
