import { act } from "./actions.js";
import { byId, h, keyedChildren, setText } from "./dom.js";
import { clock, count, title } from "./format.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").Ticket} Ticket */

/** More than anybody reads. */
const maxRows = 100;

const heads = ["Ticket", "Opened", "What", "State", "Do"];

/** @typedef {"pending" | "open" | "assigned" | "closed"} Filter */
/** @type {readonly { id: Filter, label: string }[]} */
const filters = [
  { id: "pending", label: "Pending" },
  { id: "open", label: "Open" },
  { id: "assigned", label: "Assigned" },
  { id: "closed", label: "Closed" },
];

/** The non-conformances: who looks at them, and what was done. @returns {(state: PageState) => void} */
export function createTicketsView() {
  /** @type {Filter} */
  let filter = "pending";
  /** @type {PageState | undefined} */
  let last;
  /** @type {readonly Ticket[]} */
  let shown = [];
  /** @type {Filter} */
  let shownFilter = filter;
  const you = rememberedName();

  const segments = filters.map(({ id, label }) => {
    const number = h("small", {}, "");
    const element = h("button", { type: "button", "data-filter": id }, `${label} `, number);
    element.addEventListener("click", () => {
      filter = id;
      if (last !== undefined) show(last);
    });
    return { id, number, element };
  });
  byId("ticket-filter").append(...segments.map(({ element }) => element));

  const body = h("tbody");
  const none = h("p", { class: "empty" }, "No such ticket");
  byId("tickets").append(
    h(
      "table",
      { class: "stacking" },
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      body,
    ),
    none,
  );
  byId("close-cancel").addEventListener("click", () =>
    /** @type {HTMLDialogElement} */ (byId("close-dialog")).close("cancel"),
  );
  const showRows = keyedChildren(
    body,
    (/** @type {Ticket} */ { number }) => String(number),
    (ticket) => ticketRow(ticket, you),
  );

  /** @param {PageState} state */
  function show(state) {
    last = state;
    const { open, assigned, closed } = state.ticketCounts;
    const counts = { pending: open + assigned, open, assigned, closed };
    for (const { id, number, element } of segments) {
      setText(number, count(counts[id]));
      element.setAttribute("aria-pressed", String(filter === id));
    }
    const wanted = state.tickets.filter((ticket) =>
      filter === "pending" ? ticket.state !== "closed" : ticket.state === filter,
    );
    // While somebody points at the list or stands in it, rows neither come nor go: a button must not move under a finger.
    const held = shown.length > 0 && shownFilter === filter && body.matches(":hover, :focus-within");
    const byNumber = new Map(state.tickets.map((ticket) => [ticket.number, ticket]));
    shown = held ? shown.map((ticket) => byNumber.get(ticket.number) ?? ticket) : wanted.slice(0, maxRows);
    shownFilter = filter;
    showRows(shown);
    none.hidden = shown.length > 0;
  }
  return show;
}

/**
 * @param {Ticket} ticket
 * @param {HTMLInputElement} you
 */
function ticketRow({ number, openedAtMs, characteristic, station, rule, text }, you) {
  const state = h("td", { "data-head": "State" }, "");
  const assign = h("button", { type: "button", class: "small" }, "Assign to me");
  const close = h("button", { type: "button", class: "small" }, "Close…");
  assign.addEventListener("click", () => {
    const assignee = you.value.trim() || "Operator";
    void act({ type: "assignTicket", ticket: number, assignee }, `Ticket ${number} is ${assignee}'s`);
  });
  close.addEventListener("click", () => askResolution(number, element));
  const element = h(
    "tr",
    { "data-ticket": number },
    h("th", { scope: "row" }, `#${number}`),
    h("td", { "data-head": "Opened" }, clock(openedAtMs)),
    h(
      "td",
      { "data-head": "What" },
      h("span", { class: "rule", title: `Nelson rule ${rule}` }, String(rule)),
      h("span", {}, h("b", {}, title(characteristic)), ` ${text}`, h("small", {}, station)),
    ),
    state,
    h("td", { "data-head": "Do" }, h("div", { class: "buttons" }, assign, close)),
  );
  return {
    element,
    update(/** @type {Ticket} */ ticket) {
      element.dataset.state = ticket.state;
      const who = ticket.assignee === undefined ? "" : ` · ${ticket.assignee}`;
      setText(state, `${ticket.state}${who}${ticket.resolution === undefined ? "" : ` · ${ticket.resolution}`}`);
      assign.hidden = close.hidden = ticket.state === "closed";
    },
  };
}

/**
 * @param {number} ticket
 * @param {Element} row
 */
function askResolution(ticket, row) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("close-dialog");
  /** @type {HTMLInputElement} */
  const resolution = byId("resolution");
  setText(byId("close-title"), `Close ticket #${ticket}`);
  resolution.value = "";
  dialog.returnValue = "cancel";
  dialog.onclose = () => {
    const text = resolution.value.trim();
    if (dialog.returnValue !== "close" || text === "") return;
    // The button that was pressed goes with the ticket: the keyboard goes on at the next one.
    const next = row.nextElementSibling?.querySelector("button") ?? document.querySelector("#ticket-filter button");
    /** @type {HTMLElement | null} */ (next)?.focus();
    void act({ type: "closeTicket", ticket, resolution: text }, `Ticket ${ticket} is closed`);
  };
  dialog.showModal();
}

/** The field with the user's name, as it was last time. */
function rememberedName() {
  /** @type {HTMLInputElement} */
  const field = byId("assignee");
  const key = "pipit-assignee";
  try {
    field.value = localStorage.getItem(key) ?? "Ada";
  } catch {
    field.value = "Ada";
  }
  field.addEventListener("change", () => {
    try {
      localStorage.setItem(key, field.value);
    } catch {
      // then it holds until the page is loaded again
    }
  });
  return field;
}
