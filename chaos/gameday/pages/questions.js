/** Questions that people must answer (a customer calls), with the time that is left, and hints. */

import { answerLine, actionForm, clearSent } from "./actions.js";
import { freshId, h, keyed, keyedOr, setState, setText, show } from "./dom.js";
import { clock, duration } from "./format.js";

function makeQuestion(question, canAnswer) {
  const head = [h("p", { class: "under" }, h("span", { class: "asker" }), h("span", { class: "left" })),
    h("p", { class: "asked" }), h("p", { class: "answered" })];
  if (!canAnswer) return h("li", { class: "question" }, ...head);
  const id = freshId("answer");
  const text = h("textarea", { id, rows: 2, maxlength: 2000 });
  const line = answerLine();
  const form = h("form", { class: "text-form" }, h("label", { for: id, text: "Your answer" }), text,
    h("div", { class: "row" }, h("button", { type: "submit", class: "primary", text: "Answer" }), line));
  let sent = "";
  actionForm(form, line, "answer", () => {
    sent = text.value.trim();
    return sent ? { question: question.id, text: sent } : "Your answer: write something first.";
  }, () => clearSent(text, sent));
  return h("li", { class: "question" }, ...head, form);
}

function updateQuestion(node, question, now) {
  setText(node.querySelector(".asker"), `${question.who} at ${clock(question.t_s)}`);
  setText(node.querySelector(".asked"), question.text);
  const { answered } = question;
  const left = question.answer_within_s === null || answered ? null : question.t_s + question.answer_within_s - now;
  setText(node.querySelector(".left"), answered ? "answered"
    : left === null ? "" : left > 0 ? `${duration(left)} left` : `▲ ${duration(-left)} late`);
  setState(node, "state", answered ? "answered" : left !== null && left <= 0 ? "late" : "open");
  setText(node.querySelector(".answered"), answered ? `${answered.who} at ${clock(answered.t_s)}: ${answered.text}` : "");
  show(node.querySelector(".answered"), Boolean(answered));
  const form = node.querySelector("form");
  if (form) show(form, !answered);
}

/**
 * Make questions in `root`, the newest first. Returns what draws them.
 * @param {Object} [options] @param {boolean} [options.canAnswer] @param {boolean} [options.hideEmpty] hide `root` while there is none
 */
export function questionsPanel(root, { canAnswer = false, hideEmpty = false } = {}) {
  const list = h("ol", { class: "questions" });
  const empty = h("p", { class: "empty", text: "No question was asked." });
  root.append(list, empty);
  return (doc) => {
    const asked = [...(doc.responder?.questions ?? [])].reverse();
    keyed(list, asked, (one) => one.id, (one) => makeQuestion(one, canAnswer),
      (node, one) => updateQuestion(node, one, doc.exercise.elapsed_s));
    show(empty, asked.length === 0);
    if (hideEmpty) show(root, asked.length > 0);
    setState(root, "open", asked.some((one) => !one.answered) ? "yes" : null);
  };
}

/** Make the hints that were given in `root`, the newest first. Returns what draws them. */
export function hintsPanel(root) {
  const list = h("ol", { class: "cards" });
  const empty = h("p", { class: "empty", text: "No hint was given." });
  root.append(list, empty);
  return (doc) => {
    const given = (doc.responder?.hints ?? []).map((one, index) => ({ ...one, index })).reverse();
    keyedOr(empty, list, given, (one) => one.index,
      (one) => h("li", {}, h("p", { text: one.text }), h("p", { class: "under", text: `at ${clock(one.t_s)}` })));
  };
}
