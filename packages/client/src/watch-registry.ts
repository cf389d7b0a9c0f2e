import type { Clock, Random } from "@pipit/protocol";
import type { InstanceView, Registry } from "@pipit/registry";
import { backoffMs, defaultBackoff } from "./backoff.ts";
import type { ResolvedEndpoint } from "./route.ts";
import { addressOf } from "./target.ts";
import { tellObserver } from "./tell-observer.ts";

/** Options of {@link watchRegistry}. */
export interface WatchRegistryOptions {
  readonly registry: Registry;
  readonly service: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly serverName: ((instance: InstanceView) => string | undefined) | undefined;
  readonly onEndpoints: (endpoints: readonly ResolvedEndpoint[]) => void;
}

/** Longest wait before a watch that failed is tried again, in milliseconds. */
const backoff = { ...defaultBackoff, baseMs: 200, maxMs: 10_000 };

/** Follows a service until `signal` fires. A watch that fails or ends is begun again; what was known stays in use. */
export async function watchRegistry(options: WatchRegistryOptions): Promise<void> {
  const { registry, service, signal, clock, random } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const snapshot of registry.watch(service, { signal })) {
        failures = 0;
        // What the user's own code throws here, of a balancer or `serverName`, is told, and does not end the watch.
        tellObserver(() =>
          options.onEndpoints(snapshot.instances.map((instance) => toEndpoint(instance, options.serverName))),
        );
      }
    } catch {
      // What went wrong is the registry's to report; here only that nothing is known anew.
    }
    if (signal.aborted) return;
    failures++;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = clock.after(backoffMs(failures, backoff, random), wake, { background: true });
      signal.addEventListener("abort", wake);
    });
  }
}

function toEndpoint(instance: InstanceView, serverName: WatchRegistryOptions["serverName"]): ResolvedEndpoint {
  const { id, host, port, weight, zone, state, generation } = instance;
  const name = serverName?.(instance);
  return { id, address: addressOf(host, port), weight, zone, state, generation, serverName: name };
}
