import { writeText } from "./cbor-text.ts";
import { Writer } from "./writer.ts";

/** Nodes of the whole table: some hundred kinds of objects. When it is full it starts anew. */
const MAX_NODES = 4096;
/** Keys of one object that are remembered; an object with more is a dictionary, whose keys will not come back. */
const MAX_DEPTH = 32;
/** Different keys remembered after the same keys; where there are more the keys are data. */
const MAX_BRANCHES = 16;

/**
 * A key as met after certain other keys, with its bytes ready to copy. Objects of one kind have the same keys in the same
 * order, so that the key after this one is nearly always the one of last time: the whole search is one comparison of
 * pointers. The table steers only the speed; the bytes are those of the key alone.
 */
export interface KeyNode {
  readonly key: string;
  /** The encoded key, filled up with zeros to whole words. */
  readonly words: DataView;
  readonly size: number;
  readonly depth: number;
  /** The key that followed this one last time. */
  next: KeyNode | undefined;
  /** Keys that followed at other times. */
  branches: Map<string, KeyNode> | undefined;
  /** Stands before the first key of objects that are the value of this key. */
  inner: KeyNode | undefined;
}

let nodes = 0;
let root: KeyNode | undefined;

function newNode(key: string, depth: number): KeyNode {
  nodes++;
  const writer = new Writer(64);
  writeText(writer, key);
  const size = writer.pos;
  const bytes = new Uint8Array((size + 3) & ~3);
  bytes.set(writer.bytes.subarray(0, size));
  return {
    key,
    words: new DataView(bytes.buffer),
    size,
    depth,
    next: undefined,
    branches: undefined,
    inner: undefined,
  };
}

/** Where values that stand alone begin; an empty table when the old one is full. */
export function rootNode(): KeyNode {
  if (root === undefined || nodes >= MAX_NODES) {
    nodes = 0;
    root = newNode("", 0);
  }
  return root;
}

/** Where objects that are the value of `node` begin. */
export function innerNode(node: KeyNode): KeyNode {
  node.inner ??= newNode("", 0);
  return node.inner;
}

/** The node of `key` after `node`, made if there is room for one. `undefined` when this is not a key to remember. */
export function findNode(node: KeyNode, key: string): KeyNode | undefined {
  let found = node.branches?.get(key);
  if (found === undefined) {
    if (node.depth >= MAX_DEPTH || nodes >= MAX_NODES || (node.branches?.size ?? 0) >= MAX_BRANCHES) return undefined;
    found = newNode(key, node.depth + 1);
    node.branches ??= new Map();
    node.branches.set(key, found);
  }
  node.next = found;
  return found;
}

/** Writes the key of a node, and makes sure of room for a number behind it. */
export function writeKey(writer: Writer, node: KeyNode): void {
  const { words, size } = node;
  // Whole words: what they write too much lies in the room of the number.
  writer.reserve(size + 12);
  const { view, pos } = writer;
  for (let i = 0; i < size; i += 4) view.setUint32(pos + i, words.getUint32(i));
  writer.pos = pos + size;
}
