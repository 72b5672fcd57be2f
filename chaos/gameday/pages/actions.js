/**
 * Buttons and forms that carry out an action: one press is one action, and its answer is shown beside it.
 *
 * A pressed button waits for its answer; presses meanwhile do nothing. It keeps the focus (`aria-disabled`, never
 * `disabled`), so that a keyboard user stays where they were. A refusal leaves the draft in the form.
 */

import { announce } from "./announce.js";
import { Refused, act } from "./api.js";
import { h, setText } from "./dom.js";

const STAYS_MS = 8000;
const timers = new WeakMap();

/** A line for the answers to the controls of one panel. */
export function answerLine() {
  return h("p", { class: "answer" });
}

/** Show an answer in its line, and tell it to screen readers. `kind`: "good", "bad" or "wait". */
export function tell(line, text, kind) {
  setText(line, text);
  line.dataset.kind = kind;
  clearTimeout(timers.get(line));
  if (kind === "good") timers.set(line, setTimeout(() => { setText(line, ""); delete line.dataset.kind; }, STAYS_MS));
  if (kind !== "wait") announce(text, kind === "bad");
}

/** Whether a control waits for its answer. */
export function busy(control) {
  return control.dataset.busy !== undefined;
}

/**
 * Carry out an action for a control. Resolves to whether it was done.
 * @param {HTMLElement} control
 * @param {HTMLElement} line where its answer goes
 * @param {string} name
 * @param {Object<string, *>} args
 */
export async function carryOut(control, line, name, args) {
  if (busy(control)) return false;
  control.dataset.busy = "";
  control.setAttribute("aria-disabled", "true");
  try {
    const text = await act(name, args, () => tell(line, "No answer yet. Sent again; it is done only once.", "wait"));
    tell(line, text, "good");
    return true;
  } catch (error) {
    tell(line, error instanceof Refused ? error.message : `This page has a defect: ${error}`, "bad");
    return false;
  } finally {
    delete control.dataset.busy;
    control.removeAttribute("aria-disabled");
  }
}

/**
 * A button that carries out an action.
 * @param {string} label
 * @param {HTMLElement} line where its answer goes
 * @param {string} name the action
 * @param {function(): Object<string, *>} [args]
 * @param {Object<string, *>} [props] of the button
 * @returns {HTMLButtonElement}
 */
export function actionButton(label, line, name, args = () => ({}), props = {}) {
  const button = h("button", { type: "button", text: label, ...props });
  button.addEventListener("click", () => carryOut(button, line, name, args()));
  return button;
}

const ARMED_MS = 5000;

/** The same for what cannot be undone: the first press asks for a second one within five seconds. */
export function twicePressed(label, again, line, name, args = () => ({}), props = {}) {
  const button = h("button", { type: "button", text: label, ...props });
  let timer = 0;
  const disarm = () => { clearTimeout(timer); timer = 0; setText(button, label); button.classList.remove("armed"); };
  button.addEventListener("click", async () => {
    if (busy(button)) return;
    if (!timer) {
      setText(button, again);
      button.classList.add("armed");
      announce(again);
      timer = setTimeout(disarm, ARMED_MS);
      return;
    }
    disarm();
    await carryOut(button, line, name, args());
  });
  return button;
}

/**
 * Make a form carry out an action. The texts of its fields are cleared once it is done.
 * @param {HTMLFormElement} form its submit button is the control
 * @param {HTMLElement} line
 * @param {string} name
 * @param {function(): (Object<string, *>|string)} args a string is a mistake to show instead
 * @param {function(): void} [done]
 */
export function actionForm(form, line, name, args, done = () => {}) {
  const button = form.querySelector("button[type=submit]");
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy(button)) return;
    const given = args();
    if (typeof given === "string") {
      tell(line, given, "bad");
      return;
    }
    if (await carryOut(button, line, name, given)) done();
  });
  for (const text of form.querySelectorAll("textarea")) {
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
  }
}

/**
 * Clear a text field, unless somebody wrote on while its action was under way.
 * @param {HTMLInputElement|HTMLTextAreaElement} control @param {string} sent what was sent
 */
export function clearSent(control, sent) {
  if (control.value.trim() === sent) control.value = "";
}

/** A form with one text that carries out an action: `{text, ...more()}`. */
export function textForm({ label, button, name, help = "", rows = 2, more = () => ({}), placeholder = null, primary = false }) {
  const line = answerLine();
  const id = `text-${name}-${Math.random().toString(36).slice(2, 8)}`;
  const control = rows > 1
    ? h("textarea", { id, rows, maxlength: 2000, placeholder })
    : h("input", { id, type: "text", maxlength: 2000, autocomplete: "off", placeholder });
  const form = h("form", { class: "text-form" }, h("label", { for: id, text: label }), control,
    help ? h("p", { class: "help", text: help }) : null,
    h("div", { class: "row" }, h("button", { type: "submit", text: button, class: primary ? "primary" : null }), line));
  let sent = "";
  actionForm(form, line, name, () => {
    sent = control.value.trim();
    return sent ? { text: sent, ...more() } : `${label}: write something first.`;
  }, () => clearSent(control, sent));
  return { form, control };
}
