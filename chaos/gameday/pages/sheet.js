/** The run sheet: the steps with the next one highlighted, and what begins, holds, plays, skips and ends. */

import { actionButton, answerLine, twicePressed } from "./actions.js";
import { h, keyedOr, setAttr, setState, setText, show } from "./dom.js";
import { clock, duration } from "./format.js";
import { shortcut } from "./shortcuts.js";

const SIGNS = { planned: "○", next: "▶", playing: "●", done: "✓", skipped: "–", failed: "✕" };

function makeStep(step, line) {
  const one = (label, name) => {
    const button = actionButton(label, line, name, () => ({ step: step.id }), { class: `${name}-step` });
    button.setAttribute("aria-label", `${label}: ${step.label}`);
    return button;
  };
  return h("li", { class: "step" },
    h("span", { class: "sign", "aria-hidden": "true" }), h("span", { class: "at" }),
    h("div", { class: "grow" }, h("p", { class: "strong" }), h("p", { class: "under preview" }), h("p", { class: "under how" })),
    h("div", { class: "buttons needs-controls" }, one("Play", "play"), one("Skip", "skip"), one("Repeat", "repeat")));
}

function updateStep(node, step) {
  setState(node, "state", step.state);
  setAttr(node, "aria-current", step.state === "next" ? "step" : null);
  setText(node.querySelector(".sign"), SIGNS[step.state] ?? "?");
  setText(node.querySelector(".at"), clock(step.at_s));
  setText(node.querySelector(".strong"), step.label);
  setText(node.querySelector(".preview"), step.preview);
  const times = step.played > 1 ? `, played ${step.played} times` : "";
  setText(node.querySelector(".how"), `${step.state}${times}; ${step.for_s === null ? "until it is reverted" : `for ${duration(step.for_s)}`}`);
  const waits = step.state === "planned" || step.state === "next";
  show(node.querySelector(".play-step"), waits);
  show(node.querySelector(".skip-step"), waits);
  show(node.querySelector(".repeat-step"), !waits && step.state !== "playing");
}

/** Make the run sheet in `root`. Returns what draws it. */
export function sheetPanel(root) {
  const line = answerLine();
  let coming = null;
  const buttons = {
    start: actionButton("Start the exercise", line, "start", undefined, { class: "primary" }),
    next: actionButton("Play the next step", line, "play", () => (coming ? { step: coming.id } : {}), { class: "primary" }),
    hold: actionButton("Hold", line, "hold"),
    resume: actionButton("Resume", line, "resume", undefined, { class: "primary" }),
    end: twicePressed("End the exercise", "Press again to end it", line, "end"),
  };
  for (const [name, key] of [["next", "P"], ["hold", "H"], ["resume", "H"]]) buttons[name].append(" ", h("kbd", { text: key, "aria-hidden": "true" }));
  const next = h("p", { class: "next-step" });
  const list = h("ol", { class: "sheet" });
  const empty = h("p", { class: "empty", text: "This exercise has no steps: inject faults by hand." });
  root.append(h("div", { class: "row transport needs-controls" }, ...Object.values(buttons)), line, next, list, empty);
  const press = (button) => { if (!button.hidden && !button.matches(":disabled")) button.click(); };
  shortcut("p", "play the next step", () => press(buttons.next));
  shortcut("h", "hold the run sheet, or go on", () => press(buttons.hold.hidden ? buttons.resume : buttons.hold));
  return (doc) => {
    const { state } = doc.exercise;
    const { sheet, sheet_s: sheetClock, held } = doc.gamemaster;
    coming = sheet.find((one) => one.state === "next") ?? null; // named when pressed: the sheet may have played it by then
    const running = state === "running" || state === "held";
    const free = running && !doc.exercise.aborted;
    show(buttons.start, state === "briefing");
    show(buttons.next, free && Boolean(coming));
    show(buttons.hold, free && !held && state !== "held");
    show(buttons.resume, free && (held || state === "held"));
    show(buttons.end, running);
    const left = coming ? coming.at_s - sheetClock : 0;
    setText(next, !coming || !free ? ""
      : held || state === "held" ? `Held at ${clock(sheetClock)}. Next: ${coming.label}.`
        : `Next: ${coming.label} ${left > 0 ? `in ${duration(left)}` : "now"}.`);
    show(next, next.textContent !== "");
    keyedOr(empty, list, sheet, (one) => one.id, (one) => makeStep(one, line), updateStep);
  };
}
