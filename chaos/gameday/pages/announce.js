/** What a screen reader is told: two live regions, made once. Numbers that change each second are never told here. */

import { h } from "./dom.js";

const regions = { polite: null, assertive: null };

function region(kind) {
  if (!regions[kind]) {
    regions[kind] = h("div", { class: "sr", "aria-live": kind, "aria-atomic": "true", id: `live-${kind}` });
    document.body.append(regions[kind]);
  }
  return regions[kind];
}

/** Make the regions, so that they are there before anything is told. */
export function prepare() {
  region("polite");
  region("assertive");
}

/** Tell a text. @param {string} text @param {boolean} [urgent] interrupts what is being read */
export function announce(text, urgent = false) {
  const node = region(urgent ? "assertive" : "polite");
  node.textContent = "";
  setTimeout(() => { node.textContent = text; }, 60);
}
