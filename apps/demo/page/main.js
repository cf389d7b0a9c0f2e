import { createChartsView, createMinis } from "./charts-view.js";
import { createClusterView } from "./cluster-view.js";
import { byId } from "./dom.js";
import { createJournal } from "./journal.js";
import { createKpis } from "./kpis.js";
import { followEvents } from "./live.js";
import { createServicesMap } from "./services-map.js";
import { createTicketsView } from "./tickets-view.js";
import { createTour } from "./tour.js";
import { createTraffic } from "./traffic.js";

/*
 * The page: one state that follows the gateway's events, and views that draw parts of it. Only the view that is seen is drawn.
 */

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */

/** What the user picked: it belongs to this page and not to the state. */
const pick = {
  /** @type {string | undefined} */ selected: undefined,
  /** @type {string | undefined} */ characteristic: undefined,
};

const redraw = () => draw();
const kpis = createKpis();
/** @type {Readonly<Record<string, readonly ((state: PageState) => void)[]>>} */
const views = {
  overview: [
    createServicesMap(pick, redraw),
    createTour(),
    createTraffic(pick),
    createJournal(),
    createMinis((characteristic) => {
      pick.characteristic = characteristic;
      location.hash = "#charts";
    }),
  ],
  charts: [createChartsView(pick, redraw)],
  cluster: [createClusterView()],
  tickets: [createTicketsView()],
};

function currentView() {
  const name = location.hash.slice(1);
  return name in views ? name : "overview";
}

function showView() {
  const current = currentView();
  for (const name of Object.keys(views)) byId(`view-${name}`).hidden = name !== current;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  draw();
}

const draw = followEvents(
  (state) => {
    kpis(state);
    for (const update of views[currentView()] ?? []) update(state);
    document.body.dataset.ready = "true";
  },
  (link) => {
    const element = byId("link");
    element.dataset.state = link;
    element.textContent = link === "live" ? "live" : "connecting again";
  },
);
addEventListener("hashchange", showView);
showView();
