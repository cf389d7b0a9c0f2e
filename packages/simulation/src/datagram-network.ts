import type { Random } from "@pipit/protocol";

/** What befalls datagrams on their way. Probabilities are in [0, 1]. */
export interface DatagramConditions {
  /** Shortest time on the way. */
  readonly minLatencyMs: number;
  /** Longest time on the way, uniform between the two; packets overtake each other within this spread. */
  readonly maxLatencyMs: number;
  /** Share of datagrams lost. */
  readonly loss: number;
  /** Share of datagrams delivered twice. */
  readonly duplication: number;
  /** Share of datagrams held back by `reorderingMs` more, so that later ones overtake them. */
  readonly reordering: number;
  readonly reorderingMs: number;
}

/** A quiet local network: 1 to 4 ms, nothing lost. */
export const quietNetwork: DatagramConditions = {
  minLatencyMs: 1,
  maxLatencyMs: 4,
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderingMs: 50,
};

/**
 * Decides, from one seed, which datagrams arrive, how often and when. It moves nothing itself: the caller schedules each
 * delay it is told. Addresses are any strings.
 */
export interface DatagramNetwork {
  /** Delays in ms after which a datagram sent now arrives: none, one, or two when it is doubled. Valid until the next call. */
  deliveries(from: string, to: string): readonly number[];
  /** One transit time. */
  latencyMs(): number;
  /** True, by chance, as often as a datagram is lost. */
  isLost(): boolean;
  /** False when this direction is cut or the two are in different parts. */
  isOpen(from: string, to: string): boolean;
  /** Replaces some conditions from now on. */
  change(conditions: Partial<DatagramConditions>): void;
  /** Cuts one direction; the other stays. */
  cut(from: string, to: string): void;
  /** Splits the network: an address reaches only those of its own part. Addresses not named form one more part. */
  partition(parts: readonly (readonly string[])[]): void;
  /** Mends all cuts and partitions. */
  heal(): void;
}

/** Builds a {@link DatagramNetwork}. @throws RangeError when a condition is out of its range. */
export function datagramNetwork(random: Random, conditions: Partial<DatagramConditions> = {}): DatagramNetwork {
  let now = checked({ ...quietNetwork, ...conditions });
  const cuts = new Map<string, Set<string>>();
  const partOf = new Map<string, number>();
  const delays: number[] = [];

  const chance = (share: number): boolean => share > 0 && random.u32() / 0x1_0000_0000 < share;
  const latencyMs = (): number =>
    now.minLatencyMs + (random.u32() / 0x1_0000_0000) * (now.maxLatencyMs - now.minLatencyMs);
  const isOpen = (from: string, to: string): boolean => {
    if (cuts.size > 0 && cuts.get(from)?.has(to) === true) return false;
    return partOf.size === 0 || (partOf.get(from) ?? -1) === (partOf.get(to) ?? -1);
  };

  return {
    deliveries(from, to) {
      delays.length = 0;
      if (!isOpen(from, to) || chance(now.loss)) return delays;
      delays.push(latencyMs() + (chance(now.reordering) ? now.reorderingMs : 0));
      if (chance(now.duplication)) delays.push(latencyMs());
      return delays;
    },
    latencyMs,
    isLost: () => chance(now.loss),
    isOpen,
    change(changes) {
      now = checked({ ...now, ...changes });
    },
    cut(from, to) {
      const targets = cuts.get(from) ?? new Set();
      targets.add(to);
      cuts.set(from, targets);
    },
    partition(parts) {
      partOf.clear();
      parts.forEach((part, index) => {
        for (const address of part) partOf.set(address, index);
      });
    },
    heal() {
      cuts.clear();
      partOf.clear();
    },
  };
}

function checked(conditions: DatagramConditions): DatagramConditions {
  for (const name of ["loss", "duplication", "reordering"] as const) {
    const share = conditions[name];
    if (!(share >= 0 && share <= 1)) throw new RangeError(`Network ${name}: expected 0 to 1, got ${share}`);
  }
  const { minLatencyMs, maxLatencyMs } = conditions;
  if (!(minLatencyMs >= 0 && maxLatencyMs >= minLatencyMs))
    throw new RangeError(`Network latency: expected 0 <= min <= max, got ${minLatencyMs} to ${maxLatencyMs} ms`);
  return conditions;
}
