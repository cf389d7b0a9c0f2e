import { type Client, isRpcError, type PipitClient } from "pipit";
import { NonConformance, Process, ProcessKind, Supervisor } from "../contracts/index.ts";
import type { Action } from "./actions.ts";
import type { Condition } from "./events.ts";
import { ActionError } from "./feed.ts";

/** How much later a slow instance answers, in milliseconds: far beyond what it takes otherwise, well below any deadline. */
const slowMs = 400;

/** Share of calls that a failing instance turns away: all. */
const failingShare = 1;

/** A process gets this long to start or to end, in milliseconds: on a busy machine it takes its time. */
const processMs = 60_000;

/** The supervisor. There is one, so nobody else can be asked when it takes long, and asking it twice would be to press twice. */
export function supervisorOf(client: PipitClient): Client<typeof Supervisor> {
  return client.service(Supervisor, { hedge: false, timeoutMs: processMs });
}

/** What doing needs. */
export interface Doer {
  readonly client: PipitClient;
  /** Client of one process; `undefined` when it cannot be reached. */
  readonly processClient: (id: string) => PipitClient | undefined;
  readonly conditionOf: (id: string) => Condition | undefined;
}

/** All that is done by calls; the tour is played by the gateway itself. */
export type Deed = Exclude<Action, { type: "playTour" }>;

/** A deed in words, for the journal. */
export function describe(deed: Deed): string {
  switch (deed.type) {
    case "add":
      return `add one more of ${deed.service}`;
    case "assignTicket":
      return `assign ticket ${deed.ticket} to ${deed.assignee}`;
    case "closeTicket":
      return `close ticket ${deed.ticket}: ${deed.resolution}`;
    case "slow":
      return `slow: ${deed.instance} answers ${slowMs} ms later`;
    case "fail":
      return `fail: ${deed.instance} turns ${failingShare * 100} % of its calls away`;
    default:
      return `${deed.type} ${deed.instance}`;
  }
}

/**
 * Does what a button says, by calls to the services.
 *
 * @throws ActionError in words for the user
 */
export async function act(doer: Doer, deed: Deed): Promise<void> {
  try {
    await call(doer, deed);
  } catch (error) {
    if (isRpcError(error, NonConformance.methods.close)) {
      const why = error.error === "notFound" ? "not there" : "closed already";
      throw new ActionError(`Ticket ${error.data.number} is ${why}`);
    }
    if (isRpcError(error, Supervisor.methods.crash)) {
      const why = error.error === "wrongState" ? `it is ${error.data.state}` : "nobody knows it";
      throw new ActionError(`Cannot ${deed.type} ${error.data.id}: ${why}`);
    }
    if (isRpcError(error)) throw new ActionError(`Cannot ${describe(deed)}: ${error.message}`);
    throw error;
  }
}

async function call({ client, processClient, conditionOf }: Doer, deed: Deed): Promise<unknown> {
  const supervisor = supervisorOf(client);
  const tickets = client.service(NonConformance);
  function process(id: string): Client<typeof Process> {
    const direct = processClient(id);
    if (direct === undefined) throw new ActionError(`Cannot ${deed.type} ${id}: it is not in the registry`);
    return direct.service(Process);
  }

  switch (deed.type) {
    case "crash":
    case "freeze":
    case "drain":
    case "revive":
      return supervisor[deed.type]({ id: deed.instance });
    case "slow":
      return process(deed.instance).inject({ fault: { type: "slow", value: { delayMs: slowMs } } });
    case "fail":
      return process(deed.instance).inject({ fault: { type: "failing", value: { share: failingShare } } });
    case "recover":
      if (conditionOf(deed.instance) === "frozen") return supervisor.thaw({ id: deed.instance });
      return process(deed.instance).inject({ fault: { type: "none", value: {} } });
    case "add":
      if (!ProcessKind.is(deed.service)) throw new ActionError(`There is no service "${deed.service}"`);
      return supervisor.add({ kind: deed.service });
    case "assignTicket":
      return tickets.assign({ number: deed.ticket, assignee: deed.assignee });
    case "closeTicket":
      return tickets.close({ number: deed.ticket, resolution: deed.resolution });
    default:
      return deed satisfies never;
  }
}
