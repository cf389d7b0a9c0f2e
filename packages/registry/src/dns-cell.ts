/** Negative answers in a row before what was known is given up. One can be a resolver that lost its zone for a moment. */
export const negativesBeforeEmpty = 3;

/**
 * How one DNS question ended. Only an answer and a repeated denial are knowledge; a failure tells about the resolver,
 * not about the name.
 */
export type DnsOutcome<T> =
  | { readonly type: "answer"; readonly records: readonly T[]; readonly ttlMs: number | undefined }
  /** NXDOMAIN, or a name without such records. */
  | { readonly type: "negative" }
  /** SERVFAIL, refused, timed out, unreachable. */
  | { readonly type: "failure"; readonly error: unknown };

/** What is believed about one question. */
export interface DnsCell<T> {
  /** The last good answer, or empty by denial; `undefined` while nothing is known. */
  readonly records: readonly T[] | undefined;
  /** Denials in a row. */
  readonly negativeCount: number;
  /** Failures in a row. */
  readonly failureCount: number;
}

/** The cell of a question not asked yet. */
export const emptyDnsCell: DnsCell<never> = { records: undefined, negativeCount: 0, failureCount: 0 };

/**
 * What is believed after one more outcome.
 *
 * An answer replaces everything. A failure keeps the last good. A denial keeps it too, until it came
 * {@link negativesBeforeEmpty} times in a row (a failure in between neither counts nor resets); where nothing was known
 * there is nothing to protect, so the first denial counts.
 */
export function nextDnsCell<T>(cell: DnsCell<T>, outcome: DnsOutcome<T>): DnsCell<T> {
  switch (outcome.type) {
    case "answer":
      return { records: outcome.records, negativeCount: 0, failureCount: 0 };
    case "negative": {
      const negativeCount = cell.negativeCount + 1;
      const keep = cell.records !== undefined && negativeCount < negativesBeforeEmpty;
      return { records: keep ? cell.records : [], negativeCount, failureCount: 0 };
    }
    case "failure":
      return { ...cell, failureCount: cell.failureCount + 1 };
    default:
      return outcome satisfies never;
  }
}
