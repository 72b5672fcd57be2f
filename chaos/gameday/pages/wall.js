/** The wall: one screen for everybody in the room, readable from its back. */

import { textForm } from "./actions.js";
import { byId, h, setText, show } from "./dom.js";
import { eventsPanel } from "./events.js";
import { chartsPanel } from "./live_charts.js";
import { numbersPanel } from "./numbers.js";
import { poolsPanel } from "./pools.js";
import { begin } from "./shell.js";
import { shortcut } from "./shortcuts.js";

/** A dialog for a note: the wall itself has no fields. */
function noteDialog() {
  const { form, control } = textForm({ label: "Note, for the log of the exercise", button: "Write it down", name: "note", rows: 3, primary: true });
  const close = h("button", { type: "button", text: "Close" });
  const dialog = h("dialog", { "aria-labelledby": "note-title" }, h("h2", { id: "note-title", text: "Note" }), form, close);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return () => {
    dialog.showModal();
    control.focus();
  };
}

function briefingPanel() {
  const root = byId("briefing");
  const text = root.querySelector(".text");
  return (doc) => {
    const { exercise } = doc;
    show(root, exercise.state === "briefing" && Boolean(exercise.briefing));
    setText(text, exercise.briefing);
  };
}

const openNote = noteDialog();
begin("wall", [
  briefingPanel(),
  numbersPanel(byId("numbers")),
  chartsPanel(byId("charts")),
  poolsPanel(byId("pools")),
  eventsPanel(byId("events")),
]);
shortcut("n", "write a note", openNote);
document.querySelector(".tools").prepend(h("button", { type: "button", class: "quiet", on: { click: openNote } }, "Note ", h("kbd", { text: "N", "aria-hidden": "true" })));
