import type { Balancer, Endpoint, Pick, PickRequest, Random } from "@pipit/balancer";

/** Endpoints named a, b, c … with the given weights. */
export function weighted(...weights: number[]): Endpoint[] {
  return weights.map((weight, index) => ({ id: letter(index), address: `${letter(index)}:1`, weight }));
}

/** `count` endpoints e0, e1, … that differ in nothing else. */
export function endpoints(count: number, rest: Partial<Endpoint> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, index) => ({ id: `e${index}`, address: `10.0.0.1:${index}`, ...rest }));
}

export function letter(index: number): string {
  return String.fromCharCode(97 + index);
}

/** A seeded generator (xorshift128 with splitmix seeding), the same on every engine. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const word = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  let [a, b, c, d] = [word(), word(), word(), word() | 1];
  return {
    u32() {
      let mixed = a ^ (a << 11);
      mixed ^= mixed >>> 8;
      [a, b, c] = [b, c, d];
      d = d ^ (d >>> 19) ^ mixed;
      return d >>> 0;
    },
  };
}

/** Always the lowest draw: policies begin with the first endpoint. */
export const lowest: Random = { u32: () => 0 };

/** Ids of the next `count` picks, each done at once. */
export function take<E extends Endpoint>(balancer: Balancer<E>, count: number, request?: PickRequest<E>): string[] {
  return Array.from({ length: count }, () => {
    const pick = balancer.pick(request);
    if (pick === undefined) return "-";
    answer(pick);
    return pick.endpoint.id;
  });
}

export function answer<E extends Endpoint>(pick: Pick<E> | undefined, elapsedMs = 1): void {
  pick?.done({ result: "ok", elapsedMs });
}

export function fail<E extends Endpoint>(pick: Pick<E> | undefined, elapsedMs = 1): void {
  pick?.done({ result: "failed", elapsedMs });
}

/** How often each id occurs. */
export function tally(ids: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}
