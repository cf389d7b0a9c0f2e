import { act } from "./actions.js";
import { h } from "./dom.js";

/** @typedef {import("../src/gateway/events.ts").Instance} Instance */
/** @typedef {import("../src/gateway/events.ts").Condition} Condition */
/** @typedef {import("../src/gateway/actions.ts").Fault} Fault */

/** @type {readonly { fault: Fault, label: string, hint: string, from: readonly Condition[] }[]} */
const faults = [
  {
    fault: "crash",
    label: "Crash",
    hint: "kill -9: no goodbye",
    from: ["running", "slow", "failing", "frozen", "draining"],
  },
  {
    fault: "freeze",
    label: "Freeze",
    hint: "SIGSTOP: its sockets stay open, and nothing answers",
    from: ["running", "slow", "failing"],
  },
  { fault: "slow", label: "Slow", hint: "Every call takes longer", from: ["running", "failing"] },
  { fault: "fail", label: "Fail", hint: "Calls are answered with a failure", from: ["running", "slow"] },
  {
    fault: "drain",
    label: "Drain",
    hint: "SIGTERM: it ends what it has, and goes",
    from: ["running", "slow", "failing"],
  },
  { fault: "recover", label: "Recover", hint: "As it was before the fault", from: ["slow", "failing", "frozen"] },
  { fault: "revive", label: "Revive", hint: "Starts it again under its name", from: ["crashed", "stopped"] },
];

/**
 * The buttons that break and mend an instance. All are always there, in the same places; what makes no sense now is disabled. Disabled is
 * `aria-disabled`, so that the keyboard's focus does not fall off a button when it did its work.
 *
 * @returns {{ element: HTMLElement, update: (instance: Instance) => void }}
 */
export function instanceButtons() {
  /** @type {Instance | undefined} */
  let current;
  const buttons = faults.map(({ fault, label, hint, from }) => {
    const button = h("button", { type: "button", class: `small ${fault}`, title: hint, "data-fault": fault }, label);
    button.addEventListener("click", () => {
      if (current === undefined || !from.includes(current.condition)) return;
      void act({ type: fault, instance: current.id }, `${current.id}: ${label.toLowerCase()}`);
    });
    return { button, from, label };
  });
  return {
    element: h("div", { class: "buttons", role: "group" }, ...buttons.map(({ button }) => button)),
    update(instance) {
      if (current?.id === instance.id && current.condition === instance.condition) return;
      current = instance;
      for (const { button, from, label } of buttons) {
        button.setAttribute("aria-disabled", String(!from.includes(instance.condition)));
        button.setAttribute("aria-label", `${label} ${instance.id}`);
      }
    },
  };
}

/**
 * How an instance is to be shown: what was done to it, unless gossip already sees more.
 *
 * @param {Instance} instance
 * @returns {string}
 */
export function lookOf({ condition, seen }) {
  if (condition === "crashed" || condition === "stopped") return "gone";
  if (condition !== "running") return condition;
  return seen === "up" ? "well" : seen;
}
