/** What the game master says and ticks: hints, questions, branches and findings. */

import { actionButton, actionForm, answerLine, carryOut, clearSent, textForm } from "./actions.js";
import { busy } from "./actions.js";
import { field, freshId, h, keyedOr, setAttr, setState, setText, show } from "./dom.js";
import { duration } from "./format.js";

/** Make the hints of the plan and an own hint in `root`. Returns what draws them. */
export function hintsToGive(root) {
  const line = answerLine();
  const list = h("ul", { class: "rows" });
  const empty = h("p", { class: "empty", text: "The scenario has no hints." });
  const own = textForm({ label: "A hint of your own", button: "Give it", name: "hint", rows: 1 }).form;
  own.querySelector(".row").classList.add("needs-controls");
  root.append(list, empty, line, own);
  return (doc) => {
    keyedOr(empty, list, doc.gamemaster.hints, (one) => one.id,
      (one) => h("li", { class: "row" }, h("div", { class: "grow" }, h("p", { class: "strong", text: one.text }), h("p", { class: "under" })),
        h("div", { class: "buttons needs-controls" }, actionButton("Give now", line, "hint", () => ({ id: one.id }), { "aria-label": `Give now: ${one.text}` }))),
      (node, one) => {
        setText(node.querySelector(".under"), one.given ? "✓ given" : `by itself ${duration(one.after_s)} after the start`);
        setState(node, "done", one.given ? "yes" : null);
        show(node.querySelector("button"), !one.given);
      });
  };
}

/** Make the questions of the plan and an own question in `root`. Returns what draws them. */
export function questionsToAsk(root) {
  const line = answerLine();
  const list = h("ul", { class: "rows" });
  const who = h("input", { type: "text", maxlength: 40, autocomplete: "off", value: "A customer" });
  const text = h("textarea", { rows: 2, maxlength: 2000 });
  const own = answerLine();
  const form = h("form", { class: "stack" }, field("Who asks", who), field("A question of your own", text),
    h("div", { class: "row needs-controls" }, h("button", { type: "submit", text: "Ask it" }), own));
  let sent = "";
  actionForm(form, own, "question", () => {
    sent = text.value.trim();
    if (!sent) return "A question of your own: write something first.";
    if (!who.value.trim()) return "Who asks: write who it is, as \u201cA customer\u201d.";
    return { text: sent, who: who.value.trim() };
  }, () => clearSent(text, sent));
  root.append(list, line, form);
  const waits = (doc) => {
    const asked = new Set((doc.responder?.questions ?? []).map((one) => one.id));
    return (doc.gamemaster.questions ?? []).filter((one) => !one.asked && !one.answered && !asked.has(one.id));
  };
  return (doc) => {
    keyedOr(h("p"), list, waits(doc), (one) => one.id,
      (one) => h("li", { class: "row" }, h("div", { class: "grow" }, h("p", { class: "strong", text: one.text }), h("p", { class: "under" })),
        h("div", { class: "buttons needs-controls" }, actionButton("Ask now", line, "question", () => ({ id: one.id }), { "aria-label": `Ask now: ${one.text}` }))),
      (node, one) => setText(node.querySelector(".under"), `${one.who}${typeof one.at_s === "number" ? `, by itself ${duration(one.at_s)} after the start` : ""}`));
  };
}

/** Make the branches in `root`. Returns what draws them. */
export function branchesPanel(root) {
  const list = h("ul", { class: "rows" });
  const empty = h("p", { class: "empty", text: "The scenario has no branches." });
  root.append(list, empty);
  return (doc) => {
    keyedOr(empty, list, doc.gamemaster.branches, (one) => one.id,
      () => h("li", { class: "row" }, h("span", { class: "grow" }), h("span", { class: "tag" })),
      (node, one) => {
        setText(node.querySelector(".grow"), one.text);
        setText(node.querySelector(".tag"), one.taken ? "✓ taken" : one.taken === false ? "not taken" : "open");
        setAttr(node.querySelector(".tag"), "class", one.taken ? "tag good" : "tag quiet");
      });
  };
}

/** Make the findings to tick in `root`. Returns what draws them. */
export function findingsPanel(root) {
  const line = answerLine();
  const list = h("ul", { class: "findings" });
  const empty = h("p", { class: "empty", text: "The scenario expects no finding." });
  root.append(list, empty, line);
  return (doc) => {
    keyedOr(empty, list, doc.gamemaster.findings, (one) => one.id,
      (one) => {
        const id = freshId("finding");
        const box = h("input", { type: "checkbox", id });
        box.addEventListener("click", (event) => { if (busy(box)) event.preventDefault(); });
        box.addEventListener("change", async () => {
          const found = box.checked;
          if (!(await carryOut(box, line, "finding", { id: one.id, found }))) box.checked = !found;
          else box.dataset.sent = String(Date.now());
        });
        return h("li", { class: "check" }, box, h("label", { for: id }));
      },
      (node, one) => {
        const box = node.querySelector("input");
        setText(node.querySelector("label"), one.text);
        const settled = !busy(box) && Date.now() - Number(box.dataset.sent ?? 0) > 1500;
        if (settled && box.checked !== one.found) box.checked = one.found;
      });
  };
}
