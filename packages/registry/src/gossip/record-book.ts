/**
 * Service records: owner-written, versioned by one counter per owner, deleted by tombstone. A small change rides as a
 * rumor that carries the records themselves; a large one as a rumor that only says "up to version V", upon which
 * members fetch by stream from whoever told them, and pass the rumor on once they have it: each byte is sent once per
 * member. (Scuttlebutt's versions, without its digest of everybody in every round.)
 */
import { type Reader, Writer } from "./bytes.ts";
import type { Member } from "./members.ts";
import {
  MessageType,
  type RecordEntry,
  beginMessage,
  endMessage,
  readRecord,
  recordBytes,
  writeRecord,
} from "./messages.ts";
import { type Node, STREAM_CHUNK_BYTES } from "./node.ts";
import type { RecordChange } from "./types.ts";

/** A fetch that has brought nothing for this long may be asked again elsewhere. */
const PULL_PATIENCE_MS = 2_000;
/** Owners asked for in one pull. */
const MAX_PULLS = 2_048;
const RESET = 1;
const LAST = 2;
const NOTHING = new Uint8Array(0);
const SCRATCH = new Writer(2_048, 65_536);

interface Held extends RecordEntry {
  /** When a tombstone was written or heard of. */
  readonly sinceMs: number;
}

export class RecordBook {
  readonly #node: Node;
  /** Own changes that ride in the current rumor; undefined once they are too many. */
  #inline: RecordEntry[] | undefined = [];
  #inlineBase = 0;
  #inlineBytes = 0;
  /** What was held before a reset that is still arriving. */
  readonly #before = new Map<Member, Map<string, RecordEntry>>();
  /** Owners being fetched because of a rumor, which is passed on once they are here. */
  readonly #toTell = new Set<Member>();

  constructor(node: Node) {
    this.#node = node;
  }

  put(key: string, value: Uint8Array, nowMs: number): void {
    const node = this.#node;
    if (node.observer) throw new TypeError(`Register ${key}: an observer owns no records, wanted a member`);
    if (key.length < 1 || key.length > 255 || !/^[\x20-\x7e]*$/.test(key))
      throw new RangeError(`Register ${JSON.stringify(key)}: wanted a key of 1 to 255 printable ASCII characters`);
    const entry: RecordEntry = { version: 0, key, value: value.slice(), extra: NOTHING };
    const size = recordBytes(entry);
    const limit = node.timing.maxRecordBytes;
    if (size > limit) throw new RangeError(`Register ${key}: record is ${size} bytes encoded, wanted at most ${limit}`);
    const held = node.self.records?.get(key);
    if (held?.value !== undefined && sameBytes(held.value, value)) return;
    if (held === undefined && (node.self.records?.size ?? 0) >= node.timing.maxRecords)
      throw new RangeError(`Register ${key}: this member already has ${node.timing.maxRecords} records, its limit`);
    this.#write(entry, nowMs);
  }

  remove(key: string, nowMs: number): boolean {
    const held = this.#node.self.records?.get(key);
    if (held?.value === undefined) return false;
    this.#write({ version: 0, key, value: undefined, extra: NOTHING }, nowMs);
    return true;
  }

  #write(entry: RecordEntry, nowMs: number): void {
    const node = this.#node;
    const self = node.self;
    entry.version = self.recordVersion + 1;
    this.#store(self, entry, nowMs);
    self.recordVersion = entry.version;
    node.table.rehash(self, nowMs);
    this.#emit(self, entry);
    const size = recordBytes(entry);
    if (!node.news.has(rumorOf(self))) {
      this.#inline = [];
      this.#inlineBase = entry.version - 1;
      this.#inlineBytes = 0;
    }
    this.#inlineBytes += size;
    if (this.#inlineBytes > node.timing.maxInlineBytes) this.#inline = undefined;
    this.#inline?.push(entry);
    this.#tell(self, this.#inline === undefined ? self.recordVersion : this.#inlineBase, this.#inline ?? []);
  }

  /** Everything again, say after this node took up another life. */
  restart(nowMs: number): void {
    const self = this.#node.self;
    if (self.recordVersion === 0) return;
    this.#inline = undefined;
    this.#node.table.rehash(self, nowMs);
    this.#tell(self, self.recordVersion, []);
  }

  #tell(owner: Member, base: number, entries: readonly RecordEntry[]): void {
    const w = SCRATCH;
    w.pos = 0;
    w.u32(owner.tagHigh);
    w.u32(owner.tagLow);
    w.u32(base);
    w.u32(owner.recordVersion);
    w.u8(entries.length);
    for (const entry of entries) writeRecord(w, entry);
    this.#node.tellRaw(rumorOf(owner), MessageType.rumor, w.bytes.slice(0, w.pos), true);
  }

  /** A rumor came by datagram from `from`. */
  onRumor(r: Reader, body: Uint8Array, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const owner = node.table.byTag(r.i32(), r.i32());
    const base = r.u32();
    const version = r.u32();
    const count = r.u8();
    if (!r.ok || owner === undefined || !owner.live || owner === node.self || version <= owner.recordVersion) return;
    if (base > owner.recordVersion || count === 0) {
      this.#toTell.add(owner);
      this.pull([owner], from, salt, nowMs);
      return;
    }
    const entries = this.#read(r, count);
    if (entries === undefined) return;
    const forward = body.slice();
    this.#apply(owner, entries, nowMs);
    owner.recordVersion = version;
    node.table.rehash(owner, nowMs);
    node.tellRaw(rumorOf(owner), MessageType.rumor, forward, true);
  }

  #read(r: Reader, count: number): RecordEntry[] | undefined {
    const entries: RecordEntry[] = [];
    for (let i = 0; i < count; i++) {
      const entry = readRecord(r);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    return entries;
  }

  #apply(owner: Member, entries: readonly RecordEntry[], nowMs: number): void {
    for (const entry of entries) {
      if (entry.version <= owner.recordVersion) continue;
      if ((owner.records?.size ?? 0) >= this.#node.timing.maxRecords && !owner.records?.has(entry.key)) continue;
      const before = this.#before.get(owner)?.get(entry.key);
      this.#store(owner, entry, nowMs);
      owner.recordVersion = entry.version;
      if (before === undefined || before.version !== entry.version) this.#emit(owner, entry);
    }
  }

  #store(owner: Member, entry: RecordEntry, nowMs: number): void {
    owner.records ??= new Map();
    // Deleting first keeps the map in order of version.
    owner.records.delete(entry.key);
    const held: Held = { ...entry, sinceMs: nowMs };
    owner.records.set(entry.key, held);
  }

  #emit(owner: Member, entry: RecordEntry): void {
    const change: RecordChange = entry.value === undefined ? "removed" : "put";
    this.#node.effects.event({
      type: "record",
      owner: owner.id,
      generation: owner.generation,
      key: entry.key,
      value: entry.value,
      change,
    });
  }

  /** The owner is gone, or another life of it began: say so for each of its records. */
  vanished(
    owner: Member,
    generation: number,
    records: ReadonlyMap<string, RecordEntry>,
    change: "left" | "failed",
  ): void {
    for (const { key, value } of records.values()) {
      if (value === undefined) continue;
      this.#node.effects.event({ type: "record", owner: owner.id, generation, key, value: undefined, change });
    }
  }

  /** The owner is back in the same life: its records count again. */
  returned(owner: Member): void {
    for (const entry of owner.records?.values() ?? []) if (entry.value !== undefined) this.#emit(owner, entry);
  }

  /** Asks for what these owners wrote since the versions held here. */
  pull(owners: readonly Member[], from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const wanted = owners.filter((m) => nowMs >= m.pullingUntilMs).slice(0, MAX_PULLS);
    if (wanted.length === 0) return;
    const w = node.beginStream();
    const start = beginMessage(w, MessageType.pull);
    w.u16(wanted.length);
    for (const m of wanted) {
      m.pullingUntilMs = nowMs + PULL_PATIENCE_MS;
      w.u32(m.tagHigh);
      w.u32(m.tagLow);
      w.u32(m.recordVersion);
    }
    endMessage(w, start);
    node.endStream(from, salt, false);
  }

  onPull(r: Reader, from: string, salt: Uint8Array | undefined): void {
    const count = Math.min(r.u16(), MAX_PULLS);
    for (let i = 0; i < count; i++) {
      const owner = this.#node.table.byTag(r.i32(), r.i32());
      const version = r.u32();
      if (!r.ok) return;
      if (owner === undefined || owner.recordVersion <= version) continue;
      this.#serve(owner, version, from, salt);
    }
  }

  #serve(owner: Member, version: number, to: string, salt: Uint8Array | undefined): void {
    const reset = version < owner.forgottenVersion;
    const since = reset ? 0 : version;
    let chunk: RecordEntry[] = [];
    let bytes = 0;
    let first = true;
    const flush = (last: boolean): void => {
      this.#sendChunk(owner, chunk, (reset && first ? RESET : 0) | (last ? LAST : 0), to, salt);
      first = false;
      chunk = [];
      bytes = 0;
    };
    for (const entry of owner.records?.values() ?? []) {
      if (entry.version <= since) continue;
      const size = recordBytes(entry);
      if (bytes + size > STREAM_CHUNK_BYTES) flush(false);
      chunk.push(entry);
      bytes += size;
    }
    flush(true);
  }

  #sendChunk(
    owner: Member,
    entries: readonly RecordEntry[],
    flags: number,
    to: string,
    salt: Uint8Array | undefined,
  ): void {
    const node = this.#node;
    const w = node.beginStream();
    const start = beginMessage(w, MessageType.records);
    w.u32(owner.tagHigh);
    w.u32(owner.tagLow);
    w.u8(flags);
    w.u32(owner.recordVersion);
    w.u32(owner.forgottenVersion);
    w.u16(entries.length);
    for (const entry of entries) writeRecord(w, entry);
    endMessage(w, start);
    node.endStream(to, salt, false);
  }

  onRecords(r: Reader, nowMs: number): void {
    const node = this.#node;
    const owner = node.table.byTag(r.i32(), r.i32());
    const flags = r.u8();
    const version = r.u32();
    const forgotten = r.u32();
    const entries = this.#read(r, r.u16());
    if (!r.ok || entries === undefined || owner === undefined || owner === node.self) return;
    if (version <= owner.recordVersion) return;
    if ((flags & RESET) !== 0) {
      this.#before.set(owner, owner.records ?? new Map());
      owner.records = new Map();
      owner.recordVersion = 0;
    }
    owner.pullingUntilMs = nowMs + PULL_PATIENCE_MS;
    this.#apply(owner, entries, nowMs);
    if ((flags & LAST) !== 0) {
      owner.recordVersion = version;
      owner.forgottenVersion = Math.max(owner.forgottenVersion, forgotten);
      owner.pullingUntilMs = 0;
      this.#endReset(owner);
      if (this.#toTell.delete(owner) && owner.live) this.#tell(owner, version, []);
    }
    node.table.rehash(owner, nowMs);
  }

  #endReset(owner: Member): void {
    const before = this.#before.get(owner);
    if (before === undefined) return;
    this.#before.delete(owner);
    for (const [key, entry] of before)
      if (entry.value !== undefined && owner.records?.has(key) !== true)
        this.#emit(owner, { ...entry, value: undefined });
  }

  /** The member is not remembered any more. */
  forget(owner: Member): void {
    this.#before.delete(owner);
    this.#toTell.delete(owner);
  }

  /** Forgets tombstones past their time. A peer that is behind what was forgotten gets the whole map. */
  collect(owner: Member, nowMs: number): void {
    const ttlMs = this.#node.timing.leftTtlMs;
    for (const [key, entry] of owner.records ?? []) {
      if (entry.value !== undefined || nowMs - (entry as Held).sinceMs < ttlMs) continue;
      owner.records?.delete(key);
      owner.forgottenVersion = Math.max(owner.forgottenVersion, entry.version);
    }
  }
}

function rumorOf(owner: Member): string {
  return `\n${owner.id}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
