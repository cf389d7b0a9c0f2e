// One data set in one process: verifies every codec's round trip, then measures them in turns. Started by `codec.ts`.
import { isDeepStrictEqual } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Contestant, type Pace, interleave } from "../support/interleave.ts";
import { avscPeer } from "./avsc-peer.ts";
import { bebopPeer } from "./bebop-peer.ts";
import { type DataSet, dataSets } from "./data-sets.ts";
import { floorNames, floorPeers } from "./floors.ts";
import type { Peer, Prepared } from "./peer.ts";
import { pipit, pipitAny, pipitInterpreted } from "./pipit.ts";
import { bufbuildPeer, protobufjsPeer } from "./protobuf-peers.ts";
import { schemalessPeers } from "./schemaless-peers.ts";

/** What a row is asked. */
export interface RowRequest {
  readonly dataSet: string;
  readonly pipit: "compiled" | "interpreted" | "any";
  /** Names of the peers to run; absent for all. */
  readonly peers?: readonly string[] | undefined;
  /** Use Pipit with all other data sets first. */
  readonly mixed: boolean;
  /** Run the floors of the data set, too. */
  readonly floors?: boolean;
  readonly pace: Pace;
}

/** What a codec reached. */
export interface RowResult {
  readonly name: string;
  readonly encodePerSecond: number;
  readonly decodePerSecond: number;
  readonly bytes: number;
}

/** What a row answers. */
export interface RowAnswer {
  readonly results: readonly RowResult[];
  /** Codecs that cannot carry the data set, with the reason. */
  readonly left: readonly string[];
}

/** Why a codec is left out that does not know the type. */
const lacking = "has no such type";

// Each turn starts with an empty nursery: otherwise whoever is at work when it fills up pays for the garbage of all. A full
// collection would be worse, as it takes away code that was optimized for objects of which none is alive.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
const settle = (): void => collect({ type: "minor" });

const request = JSON.parse(process.argv[2] ?? "") as RowRequest;
process.send?.(await answer(request), () => process.disconnect?.());

async function answer(request: RowRequest): Promise<RowAnswer> {
  const { dataSet: name, pipit: mode, peers, mixed, floors = false, pace: given } = request;
  const pace: Pace = { ...given, settle };
  const ours = { compiled: pipit, interpreted: pipitInterpreted, any: pipitAny }[mode];
  const dataSet = dataSets.find((one) => one.name === name);
  if (dataSet === undefined) throw new Error(`No data set is called ${name}`);
  if (mixed) for (const other of dataSets) if (other !== dataSet) use(ours, other);

  const others = [...schemalessPeers, protobufjsPeer, bufbuildPeer, avscPeer, bebopPeer];
  const mustWork = [ours, ...(floors ? await floorsOf(name, ours, mode) : [])];
  const wanted = [...mustWork, ...others.filter((peer) => peers?.includes(peer.name) !== false)];
  const left: string[] = [];
  const ready = wanted.flatMap((peer) => {
    const made = verified(peer, dataSet);
    if (typeof made !== "string") return [{ name: peer.name, ...made }];
    if (mustWork.includes(peer) && made !== lacking) throw new Error(`${peer.name} failed on ${name}: ${made}`);
    left.push(`${peer.name}: ${made}`);
    return [];
  });
  const encode = await interleave(
    ready.map((one): Contestant => ({ name: one.name, work: one.encode, input: one.input })),
    pace,
  );
  const decode = await interleave(
    ready.map((one): Contestant => ({ name: one.name, work: one.decode, input: one.bytes })),
    pace,
  );
  const results = ready.map((one) => ({
    name: one.name,
    encodePerSecond: encode.get(one.name) ?? Number.NaN,
    decodePerSecond: decode.get(one.name) ?? Number.NaN,
    bytes: one.bytes.length,
  }));
  return { results, left };
}

/** The interpreter's is loaded for itself only: it makes dozens of modules. */
async function floorsOf(name: string, ours: Peer, mode: RowRequest["pipit"]): Promise<readonly Peer[]> {
  if (mode !== "interpreted") return floorPeers(name, ours);
  const { interpreterFloor } = await import("./floors-interpreter.ts");
  return [interpreterFloor(floorNames.checked, ours)];
}

/** Why the codec cannot carry the value, or what it takes to measure it. */
function verified(peer: Peer, { shape, make }: DataSet): string | (Prepared & { bytes: Buffer }) {
  const value = make();
  try {
    const made = peer.prepare(shape, value);
    if (made === undefined) return lacking;
    const bytes = Buffer.from(made.encode(made.input as never));
    // Were the nursery to fill up while this is compared, V8 would take such objects for ones that live long, and make all of them in old
    // memory from then on, at a quarter of the speed.
    settle();
    const decoded = made.decode(bytes);
    const restored = made.restore === undefined ? decoded : made.restore(decoded);
    return isDeepStrictEqual(plainBytes(restored), plainBytes(value)) ? { ...made, bytes } : "gives back another value";
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** A `Buffer` is as good as a `Uint8Array`. */
function plainBytes(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

/** Enough to compile it and to show it to everything that is shared. */
function use(peer: Peer, { shape, make }: DataSet): void {
  const made = peer.prepare(shape, make());
  if (made === undefined) return;
  const bytes = Buffer.from(made.encode(made.input as never));
  const times = Math.max(20, Math.min(3000, 2e6 / bytes.length));
  for (let i = 0; i < times; i++) made.decode(Buffer.from(made.encode(made.input as never)));
}
