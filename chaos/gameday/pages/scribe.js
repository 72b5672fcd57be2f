/** The scribe's page: the whole log, newest first, a note field that has the focus, a filter, and a copy as text. */

import { announce } from "./announce.js";
import { textForm } from "./actions.js";
import { byId, h, keyed, setOptions, setText, show } from "./dom.js";
import { eventRow } from "./events.js";
import { clock } from "./format.js";
import { begin } from "./shell.js";
import { shortcut } from "./shortcuts.js";

const note = textForm({ label: "Note", button: "Write it down", name: "note", rows: 2, primary: true,
  help: "With the present time and your name. Ctrl+Enter sends it." });
byId("note").append(note.form);
note.control.focus();

const words = byId("filter");
const kind = byId("kind");
let log = [];

function chosen() {
  const wanted = words.value.trim().toLowerCase();
  return log.filter((one) => (!kind.value || one.kind === kind.value)
    && (!wanted || `${one.who} ${one.kind} ${one.text}`.toLowerCase().includes(wanted)));
}

function draw() {
  const found = chosen();
  keyed(byId("log"), [...found].reverse(), (one) => one.n, eventRow);
  setText(byId("count"), found.length === log.length ? `${log.length} lines` : `${found.length} of ${log.length} lines`);
  show(byId("none"), found.length === 0);
  setText(byId("none"), log.length ? "No line has this." : "Nothing has happened yet.");
}

/** The lines that are shown as text, the oldest first. */
function asText() {
  return chosen().map((one) => `${clock(one.t_s)}\t${one.kind}\t${one.who}\t${one.text.replaceAll(/\s+/g, " ")}`).join("\n");
}

async function copy() {
  const text = asText();
  try {
    await navigator.clipboard.writeText(text);
    setText(byId("copied"), "Copied.");
  } catch {
    const area = h("textarea", { class: "sr", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    setText(byId("copied"), done ? "Copied." : "The browser does not allow this page to copy. Select the lines by hand.");
  }
  announce(byId("copied").textContent);
}

words.addEventListener("input", draw);
kind.addEventListener("change", draw);
byId("copy").addEventListener("click", copy);
begin("scribe", [(doc) => {
  log = doc.log ?? [];
  const kinds = [...new Set(log.map((one) => one.kind))].sort();
  if (document.activeElement !== kind) setOptions(kind, [{ id: "", label: "all kinds" }, ...kinds.map((one) => ({ id: one, label: one }))]);
  draw();
}]);
shortcut("n", "write a note", () => note.control.focus());
shortcut("f", "filter the log", () => words.focus());
shortcut("c", "copy the log as text", copy);
