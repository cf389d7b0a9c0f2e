import type { LiveEvent, PageState, StateModule } from "./events.ts";

/** The page's own reducer, so that gateway and page cannot disagree about what an event means. */
const { emptyState, reduce }: StateModule = await import(new URL("../../page/state.js", import.meta.url).href);

/** What the page shows now, for whoever opens it next, and what changed since the last look. */
export class LiveState {
  #state: PageState = emptyState;
  #changes: LiveEvent[] = [];

  get state(): PageState {
    return this.#state;
  }

  apply(event: LiveEvent): void {
    this.#state = reduce(this.#state, event);
    // Of what comes whole only the last matters.
    if (whole.has(event.type)) this.#changes = this.#changes.filter(({ type }) => type !== event.type);
    this.#changes.push(event);
  }

  /** The events since the last call. */
  takeChanges(): readonly LiveEvent[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }
}

const whole: ReadonlySet<LiveEvent["type"]> = new Set(["members", "instances", "totals", "tour"]);
