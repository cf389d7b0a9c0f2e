import { act } from "./actions.js";
import { byId, h, keyedChildren, setText } from "./dom.js";
import { duration } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").TourStep} TourStep */

/** @type {Readonly<Record<string, string>>} */
const titles = { crash: "Crash", detect: "Detect", rebalance: "Re-balance", revive: "Revive" };

/** The guided tour: what it will do, does, and has measured. @returns {(state: PageState) => void} */
export function createTour() {
  const steps = h("ol", { class: "steps" });
  const play = h("button", { type: "button", class: "primary", id: "play-tour" }, "Play the tour");
  const verdict = h("p", { class: "verdict", role: "status" }, "");
  let running = false;
  play.addEventListener("click", () => {
    if (!running) void act({ type: "playTour" }, "The tour begins");
  });
  byId("tour").append(steps, h("footer", {}, play, verdict));

  const show = keyedChildren(
    steps,
    (/** @type {TourStep} */ { id }) => id,
    ({ id }) => {
      const time = h("output", {}, "");
      const text = h("p", {}, "");
      const element = h("li", { "data-step": id }, h("b", {}, titles[id] ?? id), time, text);
      return {
        element,
        update(/** @type {TourStep} */ step) {
          element.dataset.state = step.state;
          setText(time, step.elapsedMs === undefined ? "" : duration(step.elapsedMs));
          setText(text, step.text);
        },
      };
    },
  );

  return ({ tour }) => {
    show(tour.steps);
    running = tour.state === "running";
    play.setAttribute("aria-disabled", String(running));
    setText(play, running ? "Playing…" : tour.state === "idle" ? "Play the tour" : "Play it again");
    verdict.dataset.state = tour.state === "done" && tour.failedCalls > 0 ? "failed" : tour.state;
    setText(
      verdict,
      {
        idle: "Half a minute, one kill -9",
        running: `${tour.target ?? "One instance"} is the one`,
        done: `${tour.failedCalls} user calls failed`,
        failed: "A step took too long",
      }[tour.state],
    );
  };
}
