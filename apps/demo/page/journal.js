import { byId, h, keyedChildren } from "./dom.js";
import { clock } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").JournalEntry} JournalEntry */

const whose = { you: "you", gossip: "gossip", service: "service", problem: "problem" };

/** What was done and what came of it, newest first. @returns {(state: PageState) => void} */
export function createJournal() {
  const show = keyedChildren(
    byId("journal"),
    (/** @type {JournalEntry} */ { id }) => String(id),
    (entry) => ({
      element: h(
        "li",
        { "data-kind": entry.kind },
        h("time", {}, clock(entry.atMs)),
        h("span", { class: "kind" }, whose[entry.kind]),
        h("span", {}, entry.text),
      ),
      update() {},
    }),
  );
  /** @type {PageState["journal"] | undefined} */
  let shown;
  return ({ journal }) => {
    if (journal === shown) return;
    shown = journal;
    show(journal.slice(0, 40));
  };
}
