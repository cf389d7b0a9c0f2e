/* The few lines of DOM that a page without a framework needs. */

/**
 * An element with attributes and children. `onclick` and its like are listeners; `false` and `undefined` leave an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * The same in SVG.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", tag));
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * The element of that id, which the page has.
 *
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @returns {E}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no element "${id}"`);
  return /** @type {E} */ (element);
}

/**
 * Sets text only where it differs, so that screen readers and selections are left in peace.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Children of `parent` that follow a list: an element stays the same as long as its key is there, so that focus, hover and animations survive
 * an update every quarter of a second.
 *
 * @template T
 * @param {Element} parent
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => { element: Element, update: (item: T) => void }} create
 * @returns {(items: readonly T[]) => void}
 */
export function keyedChildren(parent, keyOf, create) {
  /** @type {Map<string, { element: Element, update: (item: T) => void }>} */
  const rows = new Map();
  return (items) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, { element }] of rows) {
      if (wanted.has(key)) continue;
      element.remove();
      rows.delete(key);
    }
    items.forEach((item, i) => {
      const key = keyOf(item);
      let row = rows.get(key);
      if (row === undefined) {
        row = create(item);
        rows.set(key, row);
      }
      row.update(item);
      if (parent.children[i] !== row.element) parent.insertBefore(row.element, parent.children[i] ?? null);
    });
  };
}
