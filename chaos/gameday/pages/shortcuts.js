/** Keys of a page, and the dialog that lists them. Keys are for the page only while nobody types in a field. */

import { kept, keep } from "./api.js";
import { h, keyed } from "./dom.js";

const OFF = "brownout.gameday.keys-off";
const keys = new Map();
let dialog = null;

function typing(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

/**
 * Add a key.
 * @param {string} key as `KeyboardEvent.key`, in lower case
 * @param {string} text what it does
 * @param {function(): void} run
 */
export function shortcut(key, text, run) {
  keys.set(key, { key, text, run });
}

/** Begin to listen, and add `?` and Escape. */
export function listen() {
  shortcut("?", "list these keys", () => showKeys());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) {
      event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (typing(event.target) || (kept(OFF) && event.key !== "?")) return;
    const found = keys.get(event.key.toLowerCase());
    if (!found || (document.querySelector("dialog[open]") && event.key.toLowerCase() !== "a")) return;
    event.preventDefault();
    found.run();
  });
}

/** Show the dialog with all keys. */
export function showKeys() {
  if (!dialog) {
    const off = h("input", { type: "checkbox", id: "keys-on" });
    off.checked = !kept(OFF);
    off.addEventListener("change", () => keep(OFF, off.checked ? "" : "yes"));
    dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" },
      h("h2", { id: "keys-title", text: "Keys" }), h("dl", { class: "key-list" }),
      h("p", { class: "help", text: "They work while no field has the focus." }),
      h("div", { class: "check" }, off, h("label", { for: "keys-on", text: "Single keys are on" })),
      h("form", { method: "dialog" }, h("button", { class: "primary", text: "Close" })));
    document.body.append(dialog);
  }
  const listed = [...keys.values(), { key: "Esc", text: "leave a field; close a dialog" },
    { key: "Ctrl+Enter", text: "send a longer text" }];
  keyed(dialog.querySelector("dl"), listed, (one) => one.key,
    (one) => h("div", {}, h("dt", {}, h("kbd", { text: one.key.length === 1 ? one.key.toUpperCase() : one.key })), h("dd", { text: one.text })));
  if (!dialog.open) dialog.showModal();
}
