/** Who takes part, in which role, and who is connected now. */

import { h, keyedOr, longName, setAttr, setText } from "./dom.js";
import { ROLES } from "./format.js";

/** Make the list of people in `root`. Returns what draws it. */
export function peoplePanel(root) {
  const list = h("ul", { class: "people" });
  const empty = h("p", { class: "empty", text: "Nobody has entered yet." });
  root.append(list, empty);
  return (doc) => {
    keyedOr(empty, list, doc.people ?? [], (one) => one.id,
      (one) => h("li", {}, h("span", { class: "sign", "aria-hidden": "true" }), longName(one.name),
        h("span", { class: "role", text: ROLES[one.role] ?? one.role }), h("span", { class: "under" })),
      (node, one) => {
        setAttr(node, "data-connected", one.connected ? "yes" : "no");
        setText(node.querySelector(".sign"), one.connected ? "●" : "○");
        const holds = doc.controls?.id === one.id ? "has the controls" : "";
        setText(node.querySelector(".under"), [one.connected ? "here" : "not connected", holds].filter(Boolean).join(", "));
      });
  };
}
