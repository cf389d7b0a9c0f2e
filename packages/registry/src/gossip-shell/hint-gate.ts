/** Ids for which a hint in the current period is remembered. */
const maxIds = 1_024;
const periodMs = 1_000;

/** Lets one hint per id and second through: a client that fails ten thousand calls a second asks for one search only. */
export class HintGate {
  readonly #passed = new Set<string>();
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** Whether this is the first about `id` in this second. */
  passes(id: string, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= periodMs || this.#passed.size >= maxIds) {
      this.#passed.clear();
      this.#sinceMs = nowMs;
    }
    if (this.#passed.has(id)) return false;
    this.#passed.add(id);
    return true;
  }
}
