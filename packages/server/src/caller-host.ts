/**
 * The host behind the address of a connection, whatever its port: where calls that nobody authenticated come from. An IPv6 host has
 * the whole of a /64 to call from (RFC 7421), so that stands for it; an IPv4-mapped address is the IPv4 one.
 */
export function hostOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  const groups = host.startsWith("[") ? groupsOf(host.slice(1, -1)) : undefined;
  if (groups === undefined) return host;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups.slice(6).flatMap(bytesOf).join(".");
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}

/** The eight numbers of an IPv6 address, with or without a zone; undefined where it is none. */
function groupsOf(ip: string): number[] | undefined {
  const hex = ip
    .replace(/%.*$/u, "")
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/u, (_, ...bytes: string[]) => hexOf(bytes.slice(0, 4).map(Number)));
  const [head = "", tail] = hex.split("::");
  const [first, last] = [numbersOf(head), numbersOf(tail ?? "")];
  const missing = 8 - first.length - last.length;
  const groups = [...first, ...new Array<number>(tail === undefined ? 0 : Math.max(0, missing)).fill(0), ...last];
  return groups.length === 8 && groups.every((group) => group <= 0xffff) ? groups : undefined;
}

function numbersOf(groups: string): number[] {
  return groups === "" ? [] : groups.split(":").map((group) => Number.parseInt(group, 16));
}

function hexOf([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function bytesOf(group: number): [number, number] {
  return [group >>> 8, group & 0xff];
}
