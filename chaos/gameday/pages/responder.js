/** The responder's page: I see something, what I believe, what I do; beside it the numbers. */

import { carryOut, answerLine, textForm } from "./actions.js";
import { beliefForm, beliefList } from "./beliefs.js";
import { byId, h, setText, show } from "./dom.js";
import { eventsPanel } from "./events.js";
import { clock } from "./format.js";
import { chartsPanel } from "./live_charts.js";
import { numbersPanel } from "./numbers.js";
import { inForcePanel, operationsPanel } from "./operations.js";
import { poolsPanel } from "./pools.js";
import { hintsPanel, questionsPanel } from "./questions.js";
import { begin } from "./shell.js";
import { shortcut } from "./shortcuts.js";

function noticePanel(root) {
  const line = answerLine();
  const text = h("input", { type: "text", id: "what-i-see", maxlength: 2000, autocomplete: "off" });
  const button = h("button", { type: "submit", class: "notice-button" }, "I see something ", h("kbd", { text: "I", "aria-hidden": "true" }));
  const noticed = h("p", { class: "noticed" });
  const form = h("form", { class: "stack" }, button,
    h("div", { class: "field" }, h("label", { for: "what-i-see", text: "What I see (may be left empty)" }), text), noticed, line);
  root.append(form);
  const notice = async () => {
    const sent = text.value.trim();
    if (await carryOut(button, line, "notice", sent ? { text: sent } : {}) && text.value.trim() === sent) text.value = "";
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); notice(); });
  shortcut("i", "I see something", () => { button.focus(); notice(); });
  return (doc) => {
    const found = doc.responder?.noticed;
    setText(noticed, found ? `✓ First noticed by ${found.who} at ${clock(found.t_s)}.` : "");
    show(noticed, Boolean(found));
  };
}

function briefingPanel() {
  const [root, text] = [byId("briefing"), byId("briefing").querySelector(".text")];
  return (doc) => {
    show(root, Boolean(doc.exercise.briefing));
    setText(text, doc.exercise.briefing);
    if (root.dataset.shown !== doc.exercise.state) {
      root.dataset.shown = doc.exercise.state;
      root.open = doc.exercise.state === "briefing";
    }
  };
}

const belief = beliefForm(byId("belief"));
const note = textForm({ label: "Note", button: "Write it down", name: "note", rows: 2 });
byId("note").append(note.form);
byId("record").append(textForm({ label: "What I did elsewhere", button: "Record it", name: "record_action", rows: 2,
  help: "Something done outside this page: a call to the provider, a message to customers." }).form);

begin("respond", [
  briefingPanel(),
  questionsPanel(byId("questions"), { canAnswer: true, hideEmpty: true }),
  noticePanel(byId("notice")),
  belief.update,
  beliefList(byId("beliefs"), (doc) => doc.responder?.beliefs),
  operationsPanel(byId("operations")),
  inForcePanel(byId("in-force")),
  numbersPanel(byId("numbers")),
  chartsPanel(byId("charts")),
  poolsPanel(byId("pools")),
  hintsPanel(byId("hints")),
  eventsPanel(byId("events")),
]);
shortcut("b", "write what I believe", () => belief.first.focus());
shortcut("n", "write a note", () => note.control.focus());
