import { type Clock, DeadlineWheel } from "@pipit/protocol";
import { StallMeter } from "./stall-meter.ts";
import { TurnClock } from "./turn-clock.ts";

/**
 * What all clients on one clock share, so that a process with many of them reads the clock once in a turn, has one timer
 * for all deadlines, and keeps one set of slots for them. Turns and stalls are those of the process anyway.
 */
export interface SharedTime {
  readonly turn: TurnClock;
  readonly stalls: StallMeter;
  readonly wheel: DeadlineWheel;
}

const known = new WeakMap<Clock, SharedTime>();

/** The one for this clock, made when it is first asked for. */
export function sharedTime(clock: Clock): SharedTime {
  let time = known.get(clock);
  if (time === undefined) {
    time = { turn: new TurnClock(clock), stalls: new StallMeter(clock), wheel: new DeadlineWheel({ clock }) };
    known.set(clock, time);
  }
  return time;
}
