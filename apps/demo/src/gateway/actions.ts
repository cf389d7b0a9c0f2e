/** What can be done to an instance. `recover` ends `freeze`, `slow` and `fail`; `revive` starts a crashed or drained one again. */
export const faults = ["crash", "freeze", "slow", "fail", "recover", "drain", "revive"] as const;
export type Fault = (typeof faults)[number];

/** What a button of the page asks for. */
export type Action =
  | { readonly type: Fault; readonly instance: string }
  | { readonly type: "add"; readonly service: string }
  | { readonly type: "assignTicket"; readonly ticket: number; readonly assignee: string }
  | { readonly type: "closeTicket"; readonly ticket: number; readonly resolution: string }
  /** `instance` is the victim; without it the tour chooses one. */
  | { readonly type: "playTour"; readonly instance?: string | undefined };

/** Longest text that an action may carry: names and ids are short. */
const maxTextLength = 200;

/** The action in a request's body, or what is wrong with it. */
export function parseAction(body: string): Action | { readonly error: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { error: "Cannot read the action: expected JSON" };
  }
  if (typeof parsed !== "object" || parsed === null) return { error: "Cannot read the action: expected an object" };
  const fields = parsed as Record<string, unknown>;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === "string" && value.length > 0 && value.length <= maxTextLength ? value : undefined;
  };
  const { type } = fields;
  const [instance, service, assignee, resolution] = ["instance", "service", "assignee", "resolution"].map(text);
  const ticket = Number.isSafeInteger(fields["ticket"]) ? (fields["ticket"] as number) : undefined;

  const fault = faults.find((known) => known === type);
  if (fault !== undefined) return instance === undefined ? missing(fault, "instance") : { type: fault, instance };
  switch (type) {
    case "add":
      return service === undefined ? missing(type, "service") : { type, service };
    case "assignTicket":
      if (ticket === undefined) return missing(type, "ticket");
      return assignee === undefined ? missing(type, "assignee") : { type, ticket, assignee };
    case "closeTicket":
      if (ticket === undefined) return missing(type, "ticket");
      return resolution === undefined ? missing(type, "resolution") : { type, ticket, resolution };
    case "playTour":
      return { type, instance };
    default:
      return { error: `Unknown action ${JSON.stringify(type)?.slice(0, maxTextLength)}` };
  }
}

function missing(type: string, field: string): { readonly error: string } {
  const wanted = field === "ticket" ? "its number" : `a text of 1 to ${maxTextLength} characters`;
  return { error: `Cannot ${type}: expected "${field}", ${wanted}` };
}
