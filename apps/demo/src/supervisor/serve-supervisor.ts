import { type Context, createServer, type Registry, type Server } from "pipit";
import { type ProcessInfo, Supervisor } from "../contracts/index.ts";
import { type ProcessSupervisor, WrongState } from "./process-supervisor.ts";

/** Name of the supervisor's process in the cluster. */
export const supervisorId = "supervisor";

/** Puts the supervisor's hands within reach of a Pipit client, such as the gateway. */
export async function serveSupervisor(supervisor: ProcessSupervisor, registry: Registry): Promise<Server> {
  type Errors = typeof Supervisor.methods.crash.errors;

  /** What the supervisor throws, as the contract declares it. */
  async function act(
    { id }: { readonly id: string },
    context: Context<Errors>,
    action: (id: string) => ProcessInfo | Promise<ProcessInfo>,
  ): Promise<ProcessInfo> {
    if (supervisor.get(id) === undefined) throw context.error("unknownProcess", { id });
    try {
      return await action(id);
    } catch (error) {
      if (error instanceof WrongState) throw context.error("wrongState", { id, state: error.state });
      throw error;
    }
  }

  const server = createServer({ id: supervisorId, registry });
  server.handle(Supervisor, {
    list: () => ({ processes: supervisor.list() }),
    crash: (request, context) => act(request, context, (id) => supervisor.crash(id)),
    freeze: (request, context) => act(request, context, (id) => supervisor.freeze(id)),
    thaw: (request, context) => act(request, context, (id) => supervisor.thaw(id)),
    drain: (request, context) => act(request, context, (id) => supervisor.drain(id)),
    revive: (request, context) => act(request, context, (id) => supervisor.revive(id)),
    add: ({ kind }) => supervisor.add(kind),
  });
  await server.listen();
  return server;
}
