import { isRpcError } from "pipit";
import { Charts, Inspection } from "../contracts/index.ts";
import { readControlPlan } from "../control-plan.ts";
import { chartsOf } from "../processes/connect.ts";
import { runProcess } from "../processes/run-process.ts";
import { Forwarder } from "./forwarder.ts";
import { judge } from "./judge.ts";

/* One instance of the inspection: `demo.Inspection`. */

await runProcess(({ settings, client }) => {
  const plan = readControlPlan(settings.planPath);
  const charts = chartsOf(client);
  return {
    serve: (server) =>
      server.handle(Inspection, {
        async submit(measurements, context) {
          // By itself a call made here would share the three retries that the whole stream has for its life, which suits a
          // call and not a stream: each batch gets its own. When the station goes, the calls made for it still end.
          const { signal, traceparent, criticality } = context;
          const forwarder = new Forwarder((characteristic, batch) => {
            const outer = {
              signal,
              traceparent,
              criticality,
              deadlineMs: Number.POSITIVE_INFINITY,
              retries: { left: 3 },
            };
            return charts.record({ characteristic, measurements: batch }, { hashKey: characteristic, context: outer });
          });
          let recorded = 0;
          try {
            // Asking for the next measurement only when there is room is the back-pressure: it reaches the gauge.
            for await (const { characteristic, ...measurement } of measurements) {
              const verdict = judge(measurement.value, plan.get(characteristic) ?? {});
              await forwarder.add(characteristic, { ...measurement, verdict });
              recorded++;
            }
            await forwarder.flush();
          } catch (error) {
            if (isRpcError(error, Charts.methods.record)) throw context.error("unknownCharacteristic", error.data);
            throw error;
          }
          return { recorded };
        },

        judge({ characteristic, value }, context) {
          const specification = plan.get(characteristic);
          if (specification === undefined) {
            throw context.error(
              "unknownCharacteristic",
              { characteristic },
              { message: `No row for "${characteristic}" in the control plan` },
            );
          }
          return { verdict: judge(value, specification) };
        },

        plan: () => ({ specifications: [...plan.values()] }),
      }),
  };
});
