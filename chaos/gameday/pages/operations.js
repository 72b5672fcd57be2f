/** Repairs that responders can do: a form for each, and what they changed and can undo. */

import { actionButton, actionForm, answerLine } from "./actions.js";
import { field, h, keyedOr, setAttr, setOptions, setText, show } from "./dom.js";
import { clock } from "./format.js";

/** The legend names the operation, and the first choice what to choose: the label is for screen readers. */
function hiddenLabel(label, select) {
  const node = field(label, select);
  node.firstElementChild.className = "sr";
  return node;
}

function makeOperation(operation, reason) {
  const line = answerLine();
  const selects = operation.arguments.map((argument) => {
    const select = h("select", { "data-name": argument.name });
    return [argument, select];
  });
  const form = h("form", { class: "operation" },
    h("fieldset", {}, h("legend", { text: operation.label }),
      h("div", { class: "row" }, ...selects.map(([argument, select]) => hiddenLabel(argument.label, select)),
        h("button", { type: "submit", text: "Do it", "aria-label": `Do it: ${operation.label}` }))),
    h("p", { class: "why-not" }), line);
  actionForm(form, line, "operate", () => {
    const given = {};
    for (const [argument, select] of selects) {
      if (!select.value) return `${argument.label}: choose one.`;
      given[argument.name] = select.value;
    }
    const why = reason.value.trim();
    return { operation: operation.id, arguments: given, ...(why ? { reason: why } : {}) };
  }, () => { reason.value = ""; for (const [, select] of selects) if (select.options.length > 1) select.value = ""; });
  return h("li", {}, form);
}

function updateOperation(node, operation) {
  const fieldset = node.querySelector("fieldset");
  if (fieldset.disabled === operation.possible) fieldset.disabled = !operation.possible;
  const why = node.querySelector(".why-not");
  setText(why, operation.possible ? "" : `Not possible: ${operation.why_not}`);
  show(why, !operation.possible);
  operation.arguments.forEach((argument, index) => {
    const select = node.querySelectorAll("select")[index];
    if (document.activeElement === select) return;
    const choices = argument.choices.map((choice) => ({ id: choice, label: choice }));
    setOptions(select, choices.length === 1 ? choices : [{ id: "", label: `choose: ${argument.label}` }, ...choices]);
  });
}

/** Make the repairs in `root`. Returns what draws them. */
export function operationsPanel(root) {
  const list = h("ul", { class: "operations" });
  const empty = h("p", { class: "empty", text: "This target has no repairs that can be done from here." });
  const reason = h("input", { type: "text", autocomplete: "off", maxlength: 500 });
  root.append(list, field("Why I do this (may be left empty)", reason), empty);
  return (doc) => {
    keyedOr(empty, list, doc.responder?.operations ?? [],
      (one) => `${one.id} ${one.arguments.map((argument) => argument.name).join(" ")}`, (one) => makeOperation(one, reason), updateOperation);
  };
}

/** Make the list of changes in force in `root`. Returns what draws it. */
export function inForcePanel(root) {
  const list = h("ul", { class: "rows" });
  const line = answerLine();
  const empty = h("p", { class: "empty", text: "Nothing that you changed is in force." });
  root.append(list, empty, line);
  return (doc) => {
    keyedOr(empty, list, doc.live?.operations ?? [], (one) => one.n,
      (one) => h("li", { class: "row" }, h("span", { class: "grow" }, h("span", { class: "strong" }), h("span", { class: "under" })),
        actionButton("Undo", line, "undo", () => ({ n: one.n }))),
      (node, one) => {
        setText(node.querySelector(".strong"), one.text);
        setText(node.querySelector(".under"), ` since ${clock(one.since_s)}`);
        setAttr(node.querySelector("button"), "aria-label", `Undo: ${one.text}`);
      });
  };
}
