/** What responders believe: the form, and the list of beliefs so far (with verdicts for the game master alone). */

import { actionForm, answerLine, clearSent } from "./actions.js";
import { field, h, keyedOr, setOptions, setText } from "./dom.js";
import { clock, labelOf } from "./format.js";
import { verdictOf } from "./review.js";

const CHOOSE = { id: "", label: "choose" };

/** Make the form in `root`. Returns what updates its choices, and the first field. */
export function beliefForm(root) {
  const text = h("textarea", { rows: 3, maxlength: 2000, required: true });
  const cause = h("select", { required: true });
  const component = h("select", { required: true });
  const line = answerLine();
  const form = h("form", { class: "stack" },
    field("What I believe", text),
    h("div", { class: "pair" }, field("Cause", cause), field("Where", component)),
    h("div", { class: "row" }, h("button", { type: "submit", class: "primary", text: "This is what I believe" }), line));
  root.append(form);
  let sent = "";
  actionForm(form, line, "belief", () => {
    sent = text.value.trim();
    if (!sent) return "What I believe: write it in a sentence.";
    if (!cause.value) return "Cause: choose one. \u201csomething else\u201d is one of them.";
    if (!component.value) return "Where: choose the component.";
    return { text: sent, cause: cause.value, component: component.value };
  }, () => {
    clearSent(text, sent);
    [cause.value, component.value] = ["", ""];
  });
  return {
    first: text,
    update(doc) {
      const { causes, components } = doc.responder ?? { causes: [], components: [] };
      if (document.activeElement !== cause) setOptions(cause, [CHOOSE, ...causes]);
      if (document.activeElement !== component) setOptions(component, [CHOOSE, ...components]);
    },
  };
}

/**
 * Make the list of beliefs in `root`, the newest first. Returns what draws it.
 * @param {function(Object): Array<Object>} of the beliefs of a document
 */
export function beliefList(root, of) {
  const list = h("ol", { class: "cards" });
  const empty = h("p", { class: "empty", text: "Nobody has written down a belief yet." });
  root.append(list, empty);
  return (doc) => {
    keyedOr(empty, list, [...(of(doc) ?? [])].reverse(), (one) => one.n,
      () => h("li", {}, h("p", { class: "strong" }), h("p", { class: "under what" }), h("p", { class: "under by" }), h("p", { class: "judged" })),
      (node, one) => {
        setText(node.querySelector(".strong"), one.text);
        setText(node.querySelector(".what"), `${labelOf(doc.responder?.causes, one.cause)}, ${labelOf(doc.responder?.components, one.component)}`);
        setText(node.querySelector(".by"), `${one.who} at ${clock(one.t_s)}`);
        const judged = node.querySelector(".judged");
        if (judged.dataset.verdict === (one.verdict ?? "")) return;
        judged.dataset.verdict = one.verdict ?? "";
        judged.replaceChildren(...(one.verdict ? [verdictOf(one.verdict)] : []));
      });
  };
}
