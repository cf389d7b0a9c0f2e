/** Names to choose from, each known by its index: values of an enumeration, tags of a union. */
import { describe } from "./codec-error.ts";
import { fail } from "./fault.ts";
import type { Generator } from "./generator.ts";
import { indexBits } from "./kinds.ts";

/** Up to this many names generated code compares one by one, which is faster than to look them up. */
const MOST_COMPARED = 8;
/** Names shown in a message. */
const MOST_SHOWN = 8;

/** What both engines need of names to choose from. */
export interface Choices {
  /** Bits of an index, 0 where it is a body instead. */
  readonly bits: number;
  /** The index of a name. Any other value is refused; `what` says what it stands for. */
  indexOf(name: unknown, what: string): number;
  /** Emits the statements that find the index of the name `v`; gives the variable that holds it. */
  genIndex(g: Generator, v: string): string;
}

export function choicesOf(names: readonly string[]): Choices {
  const indexes = new Map<unknown, number>(names.map((name, i) => [name, i]));
  return {
    bits: indexBits(names.length),
    indexOf: (name, what) =>
      indexes.get(name) ?? fail("variant", `expected ${what}one of ${quoted(names)}, got ${describe(name)}`),
    genIndex(g, v) {
      if (names.length > MOST_COMPARED) {
        const index = g.bind(`${g.external(indexes)}.get(${v})`);
        g.line(`if(${index}===undefined)bad();`);
        return index;
      }
      return g.bind(`${names.map((name, i) => `${v}===${g.text1(name)}?${i}:`).join("")}bad()`);
    },
  };
}

/** The first few names, for a message. */
export function quoted(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).map((name) => JSON.stringify(name.slice(0, 40)));
  return `${shown.join(", ")}${names.length > MOST_SHOWN ? ", …" : ""}`;
}
