// Schemas from strangers: a valid one with pieces changed, repeated, left out or tied in knots gives a codec or a CodecError,
// and so does all that is read with it.
import assert from "node:assert/strict";
import { codecFromSchema, diff, fingerprintOf, isCodecError, readerOf, type Schema } from "../src/index.ts";
import { below, type Random, randomCodec } from "./support/random-codec.ts";

const mutantsPerRound = 12;

/** One writer and one reader, with mutants of the writer's schema. */
export function round(random: Random): void {
  const { codec: writer, sample } = randomCodec(random);
  const { codec: reader } = randomCodec(random);
  const value = sample();
  const bytes = writer.encode(value, { copy: true });
  assert.deepStrictEqual(codecFromSchema(copyOf(writer.schema)).decode(bytes), value);
  for (let i = 0; i < mutantsPerRound; i++) {
    const schema = mutate(random, copyOf(writer.schema));
    try {
      attempt(() => {
        const mutant = codecFromSchema(schema);
        assert.equal(fingerprintOf(codecFromSchema(copyOf(mutant.schema))), fingerprintOf(mutant));
        attempt(() => mutant.decode(bytes));
        attempt(() => readerOf(writer, schema).decode(bytes));
        attempt(() => readerOf(mutant, writer.schema).decode(bytes));
        const { compatible } = diff(schema, reader);
        assert.equal(attempt(() => readerOf(reader, schema)) !== undefined, compatible, "diff and readerOf disagree");
      });
    } catch (error) {
      throw new Error(`schema: ${JSON.stringify(schema).slice(0, 4000)}`, { cause: error });
    }
  }
}

/** What `work` gives; nothing where it throws a CodecError. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return undefined;
  }
}

function copyOf(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema;
}

type Parent = Record<string, unknown>;

/** Changes one to three places of a schema. */
function mutate(random: Random, schema: Schema): Schema {
  const root: Parent = { schema };
  for (let i = below(random, 3); i >= 0; i--) {
    const places: [Parent, string][] = [];
    collect(root, places);
    if (places.length === 0) break;
    const [parent, key] = places[below(random, places.length)] as [Parent, string];
    const [other, otherKey] = places[below(random, places.length)] as [Parent, string];
    switch (below(random, 5)) {
      case 0:
        delete parent[key];
        break;
      case 1:
        parent[key] = JSON.parse(JSON.stringify(other[otherKey] ?? null));
        break;
      case 2:
        parent[key] = ["u8", "f64", "any", "__proto__", "", 0, -1, null, [], {}][below(random, 10)];
        break;
      case 3:
        parent[key] = { type: "ref", id: below(random, 3) };
        break;
      default:
        if (typeof parent[key] === "object" && parent[key] !== null) (parent[key] as Parent)["id"] = below(random, 3);
    }
  }
  return root["schema"] as Schema;
}

function collect(value: Parent, places: [Parent, string][]): void {
  for (const key of Object.keys(value)) {
    places.push([value, key]);
    if (typeof value[key] === "object" && value[key] !== null) collect(value[key] as Parent, places);
  }
}
