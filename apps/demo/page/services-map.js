import { act } from "./actions.js";
import { byId, h, keyedChildren, setText } from "./dom.js";
import { count, milliseconds, percent, title } from "./format.js";
import { instanceButtons, lookOf } from "./instance-buttons.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").Instance} Instance */

/** The way of a measurement, from left to right. */
const columns = [["stations", "operators"], ["inspection"], ["charts"], ["non-conformance"]];

/** @type {Readonly<Record<string, string>>} */
const purposes = {
  stations: "measure",
  operators: "ask and decide",
  inspection: "judges",
  charts: "watch the process",
  "non-conformance": "keeps tickets",
};

/**
 * The services from left to right, each with its instances; and below, what can be done to the one that is picked.
 *
 * @param {{ selected: string | undefined }} pick shared with the traffic chart, which shows the service of the picked instance
 * @param {() => void} onPick
 * @returns {(state: PageState) => void}
 */
export function createServicesMap(pick, onPick) {
  /** @type {((state: PageState) => void)[]} */
  const updates = [];
  /** @param {string} id */
  const select = (id) => {
    pick.selected = id;
    onPick();
  };

  for (const services of columns) {
    const column = h("div", { class: "column" });
    for (const service of services) column.append(serviceGroup(service, select, pick, updates));
    byId("map").append(column);
  }
  updates.push(actionBar(pick));

  return (state) => {
    if (!state.instances.some(({ id }) => id === pick.selected)) {
      pick.selected = (state.instances.find(({ service }) => service === "inspection") ?? state.instances[0])?.id;
    }
    for (const update of updates) update(state);
  };
}

/**
 * @param {string} service
 * @param {(id: string) => void} select
 * @param {{ selected: string | undefined }} pick
 * @param {((state: PageState) => void)[]} updates
 */
function serviceGroup(service, select, pick, updates) {
  const rate = h("small", {}, "");
  const add = h(
    "button",
    {
      type: "button",
      class: "add",
      title: `Add an instance of ${service}`,
      "aria-label": `Add an instance of ${service}`,
      onclick: () => void act({ type: "add", service }, `One more ${service} starts`),
    },
    "+",
  );
  const nodes = h("div", { class: "nodes" });
  const group = h(
    "section",
    { class: "service", "data-service": service, "aria-label": service },
    h("header", {}, h("h3", {}, title(service)), rate, add),
    nodes,
  );
  const show = keyedChildren(
    nodes,
    (/** @type {Instance} */ { id }) => id,
    () => node(select, pick),
  );
  updates.push(({ instances }) => {
    const own = instances.filter((instance) => instance.service === service);
    const sum = own.reduce((total, { callsPerSecond }) => total + callsPerSecond, 0);
    group.hidden = own.length === 0;
    setText(rate, sum > 0 ? `${count(sum)} calls/s` : (purposes[service] ?? ""));
    show(own);
  });
  return group;
}

/**
 * @param {(id: string) => void} select
 * @param {{ selected: string | undefined }} pick
 */
function node(select, pick) {
  const name = h("b", {}, "");
  const state = h("span", { class: "state" }, "");
  const rate = h("span", { class: "rate" }, "");
  const share = h("i", {});
  let id = "";
  const element = h(
    "button",
    { type: "button", class: "node", onclick: () => select(id) },
    h("span", { class: "dot" }),
    name,
    state,
    rate,
    h("span", { class: "meter", "aria-hidden": "true" }, share),
  );
  return {
    element,
    /** @param {Instance} instance */
    update(instance) {
      id = instance.id;
      setText(name, id);
      element.dataset.look = lookOf(instance);
      element.dataset.instance = id;
      element.setAttribute("aria-pressed", String(pick.selected === id));
      setText(state, stateText(instance));
      const calls = instance.callsPerSecond;
      setText(rate, calls > 0 || instance.failed > 0 ? `${count(calls)}/s · ${percent(instance.share)}` : "\u00a0");
      share.style.width = `${Math.round(instance.share * 100)}%`;
    },
  };
}

/**
 * What was done to it, and what gossip makes of that: they differ for a moment, which is what the demo is about.
 *
 * @param {Instance} instance
 */
function stateText({ condition, seen }) {
  if (condition === "running" && seen === "up") return "up";
  if (condition === "running") return `gossip: ${seen}`;
  return `${condition} · gossip: ${seen}`;
}

/** @param {{ selected: string | undefined }} pick @returns {(state: PageState) => void} */
function actionBar(pick) {
  const name = h("b", {}, "");
  const facts = h("small", {}, "");
  const buttons = instanceButtons();
  byId("action-bar").append(h("div", {}, name, " ", facts), buttons.element);
  return ({ instances }) => {
    const instance = instances.find(({ id }) => id === pick.selected);
    byId("action-bar").hidden = instance === undefined;
    if (instance === undefined) return;
    setText(name, instance.id);
    const { p50Ms, p99Ms, failed } = instance;
    const latency =
      p50Ms === undefined ? "no calls of late" : `p50 ${milliseconds(p50Ms)} · p99 ${milliseconds(p99Ms)}`;
    setText(facts, `${latency} · ${count(failed)} failed answers`);
    buttons.update(instance);
  };
}
