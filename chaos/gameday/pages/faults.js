/** Faults that are active now, with revert of one or of all, and the guardrails with their distance to tripping. */

import { actionButton, answerLine } from "./actions.js";
import { h, keyedOr, setAttr, setState, setText, show } from "./dom.js";
import { clock, duration, plain } from "./format.js";

/** Make the active faults in `root`. Returns what draws them. */
export function faultsPanel(root) {
  const line = answerLine();
  const list = h("ul", { class: "rows faults" });
  const empty = h("p", { class: "empty", text: "No fault is active." });
  const all = actionButton("Revert all", line, "revert");
  root.append(list, empty, h("div", { class: "row needs-controls" }, all), line);
  return (doc) => {
    const { faults } = doc.gamemaster;
    show(all, faults.length > 1);
    keyedOr(empty, list, faults, (one) => one.id,
      (one) => h("li", { class: "row fault" },
        h("div", { class: "grow" }, h("p", { class: "strong" }), h("p", { class: "under times" }), h("p", { class: "problem" })),
        h("div", { class: "buttons needs-controls" }, actionButton("Revert", line, "revert", () => ({ fault: one.id })))),
      (node, one) => {
        setText(node.querySelector(".strong"), one.text);
        const ends = one.ends_in_s === null ? "until it is reverted" : `ends in ${duration(one.ends_in_s)}`;
        setText(node.querySelector(".times"), `${one.id}, since ${clock(one.since_s)}, ${ends}, ${one.confirmed ? "✓ confirmed" : "not confirmed yet"}`);
        setText(node.querySelector(".problem"), one.problem ? `▲ ${one.problem}` : "");
        setAttr(node.querySelector("button"), "aria-label", `Revert: ${one.text}`);
      });
  };
}

const NEAR = 0.8;

/** How near a value is to its limit, 0 to 1, whichever side it comes from. */
export function nearness(value, limit) {
  if (typeof value !== "number" || typeof limit !== "number") return null;
  const most = Math.max(Math.abs(value), Math.abs(limit));
  return most === 0 ? 1 : Math.min(Math.abs(value), Math.abs(limit)) / most;
}

/** Make the guardrails in `root`. Returns what draws them. */
export function guardrailsPanel(root) {
  const list = h("ul", { class: "guardrails" });
  const empty = h("p", { class: "empty", text: "No guardrail stops this exercise by itself." });
  root.append(list, empty);
  return (doc) => {
    keyedOr(empty, list, doc.gamemaster.guardrails, (one) => one.text,
      (one) => h("li", {}, h("span", { class: "strong", text: one.text }), h("span", { class: "values" }),
        h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: "fill" }))),
      (node, one) => {
        const near = one.nearness ?? nearness(one.value, one.limit);
        const word = near === null ? "not measured yet" : near >= 1 ? "▲ at its limit" : near >= NEAR ? "▲ near" : "far";
        setText(node.querySelector(".values"), `now ${plain(one.value)}, limit ${plain(one.limit)} for ${duration(one.holds_s)}: ${word}`);
        setState(node, "near", near !== null && near >= NEAR ? "yes" : null);
        node.querySelector(".fill").style.setProperty("--part", String(near ?? 0));
      });
  };
}
