/** Who has the controls, taking and handing them over; the load; and Abort with its release. */

import { actionButton, actionForm, answerLine, carryOut } from "./actions.js";
import { byId, field, h, setOptions, setText, show } from "./dom.js";
import { plain } from "./format.js";
import { shortcut } from "./shortcuts.js";

/**
 * Abort: one press, one key, no question. Every game master has it, without the controls too.
 * @param {HTMLElement} root
 */
export function abortPanel(root) {
  const line = answerLine();
  const button = h("button", { type: "button", class: "abort", id: "abort" }, "Abort ", h("kbd", { text: "A", "aria-hidden": "true" }));
  button.setAttribute("aria-label", "Abort: revert every fault now");
  button.setAttribute("aria-keyshortcuts", "A");
  const release = actionButton("Release", line, "release", undefined, { class: "release needs-controls" });
  const run = () => carryOut(button, line, "abort", {});
  button.addEventListener("click", run);
  shortcut("a", "abort: revert every fault now; asks nothing", run);
  root.append(button, release, line);
  return (doc) => {
    show(release, doc.exercise.aborted && doc.exercise.state !== "over");
    show(button, doc.exercise.state !== "over");
  };
}

/** Who has the controls. Disables what needs them while somebody else has them. */
export function holdingPanel(root) {
  const line = answerLine();
  const said = h("p", { class: "holding-text" });
  const take = actionButton("Take the controls", line, "take_controls", undefined, { class: "primary" });
  const to = h("select", { id: "hand-to" });
  const form = h("form", { class: "row" }, h("label", { for: "hand-to", text: "Hand over to" }), to, h("button", { type: "submit", text: "Hand over the controls" }));
  const alone = h("p", { class: "help", text: "To hand them over, a second game master must have entered." });
  actionForm(form, line, "hand_over", () => (to.value ? { to: to.value } : "Choose to whom."));
  root.append(said, take, form, alone, line);
  return (doc, you) => {
    const mine = Boolean(you.id) && doc.controls?.id === you.id;
    const others = doc.people.filter((one) => one.role === "gamemaster" && one.id !== you.id);
    setText(said, mine ? "You have the controls." : doc.controls
      ? `${doc.controls.name} has the controls. You can abort, and tick findings; for anything else, take them.`
      : "Nobody has the controls.");
    root.dataset.mine = mine ? "yes" : "no";
    show(take, !mine);
    show(form, mine && others.length > 0);
    show(alone, mine && others.length === 0);
    if (document.activeElement !== to) {
      setOptions(to, others.map((one) => ({ id: one.id, label: `${one.name}${one.connected ? "" : " (not connected)"}` })));
    }
    const usable = mine && doc.exercise.state !== "over";
    for (const part of document.querySelectorAll(".needs-controls")) {
      for (const button of part.matches("button") ? [part] : part.querySelectorAll("button")) {
        if (button.disabled === usable) button.disabled = !usable;
      }
    }
    byId("main").dataset.mine = mine ? "yes" : "no";
  };
}

const [LEAST, MOST, STEP] = [0.5, 5, 0.25];

/** Start and stop the load; its level up and down. */
export function loadPanel(root) {
  const line = answerLine();
  const said = h("p", { class: "strong" });
  const profile = h("select", {});
  let level = 1;
  const to = (change) => ({ factor: Math.min(MOST, Math.max(LEAST, Math.round((level + change) * 100) / 100)) });
  const down = actionButton("−", line, "load_level", () => to(-STEP), { "aria-label": "Load down by a quarter", class: "square" });
  const up = actionButton("+", line, "load_level", () => to(STEP), { "aria-label": "Load up by a quarter", class: "square" });
  const shown = h("output", { class: "level", "aria-label": "Level of the load" });
  const start = actionButton("Start the load", line, "load_start", () => (profile.value ? { profile: profile.value } : {}));
  const stop = actionButton("Stop the load", line, "load_stop");
  const choice = field("Profile", profile);
  root.append(said, h("div", { class: "row end needs-controls" }, h("div", { class: "stepper" }, down, shown, up), choice, start, stop), line);
  return (doc) => {
    const load = doc.live?.load ?? { running: false, profile: "", level: 1 };
    if (typeof load.level === "number") level = load.level;
    setText(said, load.running ? `${load.profile} is running` : "The load is stopped.");
    setText(shown, `× ${plain(level)}`);
    show(start, !load.running);
    show(choice, !load.running);
    show(stop, load.running);
    if (document.activeElement !== profile) setOptions(profile, doc.gamemaster.profiles.map((one) => ({ id: one, label: one })));
  };
}
