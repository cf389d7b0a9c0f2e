import { date, enumeration, f64, service, string, struct, unary } from "pipit";

/** One measured value. */
export const Measurement = struct({ at: date, station: string, characteristic: string, value: f64 });

/** Where a value lies: inside its specification limits, or below or above them. */
export const Verdict = struct({ verdict: enumeration(["ok", "below", "above"]) });

/** Judges measurements against specification limits. Judging twice is judging once: calls may be repeated. */
export const Inspection = service("demo.Inspection", {
  judge: unary(Measurement, Verdict, {
    idempotency: "safe",
    errors: { unknownCharacteristic: struct({ characteristic: string }) },
  }),
});
