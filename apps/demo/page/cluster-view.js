import { byId, h, keyedChildren, setText } from "./dom.js";
import { count, milliseconds, percent } from "./format.js";
import { instanceButtons, lookOf } from "./instance-buttons.js";

/** @typedef {import("../src/gateway/events.ts").PageState} PageState */
/** @typedef {import("../src/gateway/events.ts").Instance} Instance */
/** @typedef {import("../src/gateway/events.ts").Member} Member */

const heads = ["Instance", "State", "Gossip", "Calls/s", "p50", "p99", "Failed", "Share", "Do"];

/** Every instance with its numbers and buttons, and every member as gossip sees it. @returns {(state: PageState) => void} */
export function createClusterView() {
  const body = h("tbody");
  byId("instances").append(
    h(
      "table",
      { class: "stacking" },
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      body,
    ),
  );
  const showInstances = keyedChildren(body, (/** @type {Instance} */ { id }) => id, instanceRow);
  const showMembers = keyedChildren(byId("members"), (/** @type {Member} */ { id }) => id, memberCard);
  return ({ instances, members }) => {
    showInstances(instances);
    showMembers(members);
  };
}

/** @param {Instance} instance */
function instanceRow({ id, address }) {
  const cells = heads.slice(1, -1).map((head) => h("td", { "data-head": head }, ""));
  const [condition, seen, rate, p50, p99, failed, share] = cells;
  if (!condition || !seen || !rate || !p50 || !p99 || !failed || !share) throw new Error("A column is missing");
  const where = h("small", {}, address);
  const bar = h("i", {});
  const shareText = h("span", {}, "");
  share.append(h("span", { class: "meter" }, bar), shareText);
  for (const cell of [rate, p50, p99, failed]) cell.classList.add("number");
  const buttons = instanceButtons();
  const element = h(
    "tr",
    { "data-instance": id },
    h("th", { scope: "row" }, h("span", { class: "dot" }), h("b", {}, id), where),
    ...cells,
    h("td", { "data-head": "Do" }, buttons.element),
  );
  return {
    element,
    update(/** @type {Instance} */ instance) {
      element.dataset.look = lookOf(instance);
      setText(where, instance.address);
      setText(condition, instance.condition);
      setText(seen, instance.seen);
      setText(rate, count(instance.callsPerSecond));
      setText(p50, milliseconds(instance.p50Ms));
      setText(p99, milliseconds(instance.p99Ms));
      setText(failed, count(instance.failed));
      setText(shareText, percent(instance.share));
      bar.style.width = `${Math.round(instance.share * 100)}%`;
      buttons.update(instance);
    },
  };
}

/** @param {Member} member */
function memberCard({ id }) {
  const state = h("span", { class: "state" }, "");
  const details = h("small", {}, "");
  const element = h("div", { class: "member" }, h("span", { class: "dot" }), h("b", {}, id), state, details);
  return {
    element,
    update(/** @type {Member} */ member) {
      element.dataset.look = { alive: "well", suspect: "suspect", dead: "gone", left: "gone" }[member.state];
      setText(state, member.state);
      setText(details, `${member.address} · incarnation ${member.incarnation}`);
    },
  };
}
