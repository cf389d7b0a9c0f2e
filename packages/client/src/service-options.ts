import type { CallOptions } from "@pipit/protocol";
import type { ResilienceOptions } from "./resilience-options.ts";

/** Options of one method, within those of its service. */
export interface MethodCallOptions extends CallOptions, ResilienceOptions {}

/** Options of `client.service`. */
export interface ServiceOptions<Name extends string = string> extends CallOptions, ResilienceOptions {
  /** Options of single methods, by name. */
  readonly methods?: { readonly [N in Name]?: MethodCallOptions | undefined } | undefined;
}
