import { readLatin1 } from "./text-encodings.ts";

/** Shapes and places made since the tables were last emptied; then they start anew. */
const MAX_MADE = 2048;
/** Keys of a shape; an object with more is a dictionary. */
export const MAX_SHAPE_KEYS = 32;
/** Shapes remembered at one place. */
const MAX_CANDIDATES = 8;
/** Misses at a place after which it learns from one miss in so many only: there keys are data. */
const PATIENCE = 16;
/** Reads of a shape after which compiling it pays, and after how many once a process has compiled a lot. */
const COMPILE_AFTER = 24;
const COMPILE_AFTER_MANY = 2000;
const MANY_COMPILED = 256;

/** Somewhere in messages where maps turn up: the value of a certain key of a certain shape, or the root. */
export interface Place {
  /** The shapes met here, the latest first. */
  readonly shapes: Shape[];
  misses: number;
  /** Where the values of keys are that no shape expects. */
  values: Place | undefined;
}

/** A key as it stood in a message, which need not be the shortest form: head and text. */
export interface RawKey {
  readonly bytes: Uint8Array;
  /** The bytes as words, the last one filled up with zeros: four bytes are compared at once. */
  readonly words: Int32Array;
  /** What of the last word belongs to the key. */
  readonly mask: number;
}

/**
 * The keys of a kind of object. When the raw bytes at hand equal those of the expected key, the key need not be decoded,
 * looked up, or compared with the others for duplicates. Shapes steer only the speed.
 */
export interface Shape {
  readonly keys: readonly string[];
  readonly raw: readonly RawKey[];
  /** What is expected as the value of each key. */
  readonly places: readonly Place[];
  uses: number;
  /** Makes the object from its values. */
  make: (values: readonly unknown[]) => object;
  /** Reads all of the object behind its first key, at `pos`. The other arguments are the state of the decode. */
  read: ((pos: number, bytes: Uint8Array, view: DataView, end: number, place: Place) => unknown) | undefined;
}

/** What of the decoder its compiled readers use. */
export interface Decoding {
  /** Reads the item at a position. */
  readonly itemAt: (pos: number, place: Place) => unknown;
  readonly getPos: () => number;
  readonly setPos: (pos: number) => void;
  /** Goes on with a map whose next key was not expected. */
  readonly shaped: (pos: number, shape: Shape, place: Place, values: unknown[]) => unknown;
}

let made = 0;
let root: Place | undefined;
const shapes = new Map<string, Shape>();
let compiled = 0;
let canCompile = true;

export function newPlace(): Place {
  made++;
  return { shapes: [], misses: 0, values: undefined };
}

/** Where values that stand alone are; an empty table when the old one is full. */
export function rootPlace(): Place {
  if (root === undefined || made >= MAX_MADE) {
    shapes.clear();
    made = 0;
    root = newPlace();
  }
  return root;
}

/** Where the values of unexpected keys are. */
export function valuesPlace(place: Place): Place {
  if (place.values === undefined && made < MAX_MADE) place.values = newPlace();
  return place.values ?? place;
}

/** Whether a map whose keys were not expected at this place should be learned. */
export function isWorthLearning(place: Place): boolean {
  const misses = ++place.misses;
  return made < MAX_MADE && (misses <= PATIENCE || misses % PATIENCE === 0);
}

/** Makes the shape of different keys known at a place. */
export function learn(place: Place, texts: readonly string[], raw: readonly RawKey[], places: readonly Place[]): void {
  const id = raw.map(({ bytes }) => readLatin1(bytes, 0, bytes.length)).join("");
  let shape = shapes.get(id);
  if (shape === undefined) {
    const keys = texts.map(internalized);
    shape = { keys, raw, places, uses: 0, make: (values) => makeObject(keys, values), read: undefined };
    shapes.set(id, shape);
  }
  place.shapes.unshift(shape);
  if (place.shapes.length > MAX_CANDIDATES) place.shapes.pop();
}

/** A copy of the bytes of a key. */
export function rawKey(bytes: Uint8Array, start: number, end: number): RawKey {
  const size = end - start;
  const padded = new Uint8Array((size + 3) & ~3);
  padded.set(bytes.subarray(start, end));
  const view = new DataView(padded.buffer);
  const words = Int32Array.from({ length: padded.length >> 2 }, (_, i) => view.getInt32(4 * i));
  return { bytes: padded.subarray(0, size), words, mask: -1 << (8 * (padded.length - size)) };
}

/** The same text as the engine's own copy of a property name: with any other, access by name is ten times as slow. */
function internalized(key: string): string {
  return Object.keys({ [key]: 0 })[0] as string;
}

function makeObject(keys: readonly string[], values: readonly unknown[]): object {
  const object: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) setOwn(object, keys[i]!, values[i]);
  return object;
}

/** Sets an own property even where a prototype has one of that name, such as `__proto__`. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key in object)
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/**
 * Gives a shape that is read often a reader of straight-line code with one object literal. The keys are from a stranger,
 * so none of their text is in the source: it holds numbers alone, and the keys come in as arguments. The literal's
 * computed keys define own properties whatever their names.
 */
export function countUse(shape: Shape, decoding: Decoding): void {
  const enough = compiled < MANY_COMPILED ? COMPILE_AFTER : COMPILE_AFTER_MANY;
  if (++shape.uses < enough || shape.read || !canCompile) return;
  let body = "";
  let values = "";
  let taken = "";
  let read = "";
  const names = ["D", "s"];
  shape.raw.forEach(({ bytes, words, mask }, i) => {
    if (i > 0) {
      // The last key byte by byte: near the end of the input its last word would reach past it.
      const isLast = i === shape.keys.length - 1;
      const tests = isLast
        ? Array.from(bytes, (byte, j) => `b[p+${j}]!==${byte}`)
        : Array.from(words, (word, j) => `(v.getInt32(p+${4 * j})${j < words.length - 1 ? "" : `&${mask}`})!==${word}`);
      const room = isLast ? bytes.length : 4 * words.length;
      body += `if(p+${room}>=e||${tests.join("||")})return X(p,s,q,[${values}]);p+=${bytes.length};`;
    }
    // A small integer is its head. Behind the first key there may be nothing; behind others there is room.
    body += `let v${i}=${i > 0 ? "b[p]" : "p<e?b[p]:24"};if(v${i}<24)p++;else{v${i}=I(p,P${i});p=G()}`;
    values += `v${i},`;
    read += `[k${i}]:v${i},`;
    taken += `[k${i}]:x[${i}],`;
    names.push(`k${i}`, `P${i}`);
  });
  const given = shape.keys.flatMap((key, i) => [key, shape.places[i]]);
  try {
    // The number in the comment makes each source unique: the engine would share what it learned between equal ones.
    const source = `const{itemAt:I,getPos:G,setPos:S,shaped:X}=D;return[x=>({${taken}}),(p,b,v,e,q)=>{${body}S(p);return{${read}}}]//${compiled++}`;
    [shape.make, shape.read] = new Function(...names, source)(decoding, shape, ...given);
  } catch {
    canCompile = false;
  }
}
