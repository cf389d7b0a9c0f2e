/** @throws RangeError unless it is a whole number in the range, naming the option */
export function whole(name: string, value: number, least: number, most: number = Number.POSITIVE_INFINITY): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const to = most === Number.POSITIVE_INFINITY ? "" : ` to ${most}`;
  throw new RangeError(`Option ${name}: expected a whole number from ${least}${to}, got ${value}`);
}

/** @throws RangeError unless it is more than 0, naming the option */
export function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Option ${name}: expected more than 0, got ${value}`);
}
