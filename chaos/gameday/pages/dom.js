/**
 * Building and updating elements. Everything is set as text or as an attribute: nothing from the server is ever HTML.
 *
 * Updates are keyed: an element stays the same node while its item exists, so that focus, drafts, open lists and the
 * scroll position survive each push.
 */

/**
 * A new element.
 * @param {string} tag
 * @param {Object<string, *>} [props] `class`, `text`, `on` (listeners by name), else attributes; null or false: left out
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The element of an id. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/** Set the text of an element, only if it differs. */
export function setText(node, text) {
  const wanted = text === null || text === undefined ? "" : String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Set an attribute, only if it differs; null or false removes it. */
export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const wanted = value === true ? "" : String(value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

/** Show or hide an element. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** A data attribute that style sheets select by. */
export function setState(node, name, value) {
  setAttr(node, `data-${name}`, value);
}

const children = new WeakMap();

/**
 * Make the children of `parent` those of `items`: one node for each key, made once, then updated.
 * @param {Element} parent holds nothing else
 * @param {Array<*>} items
 * @param {function(*): (string|number)} keyOf
 * @param {function(*): HTMLElement} make
 * @param {function(HTMLElement, *): void} [update] also called after `make`
 */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const known = children.get(parent) ?? new Map();
  const next = new Map();
  for (const item of items) {
    const key = String(keyOf(item));
    if (next.has(key)) continue;
    const node = known.get(key) ?? make(item);
    update(node, item);
    next.set(key, node);
  }
  for (const [key, node] of known) if (!next.has(key)) node.remove();
  let place = parent.firstElementChild;
  for (const node of next.values()) {
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  children.set(parent, next);
}

/** The same for a list that may be empty: `empty` is shown in its place. */
export function keyedOr(empty, parent, items, keyOf, make, update) {
  keyed(parent, items, keyOf, make, update);
  show(empty, items.length === 0);
  show(parent, items.length > 0);
}

const TAIL = 7;

/**
 * A name in one line that is cut in its middle where there is no room: the end tells replicas apart.
 * The whole name stays in the text and in the tooltip.
 */
export function longName(name) {
  const node = h("span", { class: "long-name" }, h("span", { class: "head" }), h("span", { class: "tail" }));
  setLongName(node, name);
  return node;
}

/** Change a name that `longName` made. */
export function setLongName(node, name) {
  const cut = name.length > TAIL * 2 ? name.length - TAIL : name.length;
  setText(node.firstElementChild, name.slice(0, cut));
  setText(node.lastElementChild, name.slice(cut));
  setAttr(node, "title", name.length > TAIL * 2 ? name : null);
}

let ids = 0;

/** An id that no other element of the page has. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/**
 * A control with its label, and with help below if there is some.
 * @returns {HTMLElement}
 */
export function field(label, control, help = "") {
  if (!control.id) control.id = freshId("field");
  const parts = [h("label", { for: control.id, text: label }), control];
  if (help) {
    const text = h("p", { class: "help", id: `${control.id}-help`, text: help });
    control.setAttribute("aria-describedby", text.id);
    parts.push(text);
  }
  return h("div", { class: "field" }, ...parts);
}

/**
 * Make the options of a select those of `choices`; keeps what is chosen, and touches nothing while nothing changed.
 * @param {HTMLSelectElement} select
 * @param {Array<{id: string, label: string}>} choices
 */
export function setOptions(select, choices) {
  const now = [...select.options];
  const same = now.length === choices.length
    && choices.every((choice, index) => now[index].value === choice.id && now[index].textContent === choice.label);
  if (same) return;
  const chosen = select.value;
  select.replaceChildren(...choices.map((choice) => h("option", { value: choice.id, text: choice.label })));
  if (choices.some((choice) => choice.id === chosen)) select.value = chosen;
}
