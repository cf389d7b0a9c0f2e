import { emptyState, reduce } from "./state.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").LiveEvent} LiveEvent */

/**
 * Follows the gateway's events and calls `render` with the newest state: at most once per frame of the screen, and not at all while the page
 * is in the background, where browsers give no frames.
 *
 * @param {(state: PageState) => void} render
 * @param {(link: "live" | "lost") => void} onLink
 * @returns {() => void} renders again what is known, such as after a change of view
 */
export function followEvents(render, onLink) {
  let state = emptyState;
  let scheduled = false;

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      render(state);
    });
  }

  // It connects again by itself, and the gateway begins each connection with the whole state.
  const source = new EventSource("/events");
  source.onopen = () => onLink("live");
  source.onerror = () => onLink("lost");
  source.onmessage = ({ data }) => {
    /** @type {LiveEvent[]} */
    const events = JSON.parse(data);
    state = events.reduce(reduce, state);
    schedule();
  };
  return schedule;
}
