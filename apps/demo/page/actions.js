import { byId } from "./dom.js";

/** @typedef {import("../src/gateway/actions.ts").Action} Action */

/** How long a message stays. */
const toastMs = 4000;

/** @type {number | undefined} */
let timer;

/** @param {string} text @param {"done" | "problem"} kind */
function toast(text, kind) {
  const element = byId("toast");
  element.textContent = text;
  element.dataset.kind = kind;
  element.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => element.classList.remove("shown"), toastMs);
}

/**
 * Asks the gateway to do something, and says how that went. What it changes comes with the events, as for everybody else.
 *
 * @param {Action} action
 * @param {string} done what to say when it is done
 */
export async function act(action, done) {
  try {
    const response = await fetch("/actions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(action),
    });
    /** @type {{ error?: string }} */
    const { error } = await response.json();
    if (error === undefined) toast(done, "done");
    else toast(error, "problem");
  } catch {
    toast("The gateway does not answer", "problem");
  }
}
