/** The game master's page: the run sheet, faults by hand, the load, what people are told, and Abort. */

import { textForm } from "./actions.js";
import { beliefList } from "./beliefs.js";
import { byId, setText, show } from "./dom.js";
import { eventsPanel } from "./events.js";
import { faultsPanel, guardrailsPanel } from "./faults.js";
import { clock } from "./format.js";
import { abortPanel, holdingPanel, loadPanel } from "./holding.js";
import { injectPanel } from "./inject.js";
import { chartsPanel } from "./live_charts.js";
import { numbersPanel } from "./numbers.js";
import { peoplePanel } from "./people.js";
import { poolsPanel } from "./pools.js";
import { branchesPanel, findingsPanel, hintsToGive, questionsToAsk } from "./prompts.js";
import { questionsPanel } from "./questions.js";
import { sheetPanel } from "./sheet.js";
import { begin } from "./shell.js";
import { shortcut } from "./shortcuts.js";

function secretPanel() {
  const drawn = byId("drawn");
  return (doc) => {
    const { gamemaster: master } = doc;
    setText(byId("secret-title"), master.title);
    setText(byId("description"), master.description);
    setText(drawn, master.drawn ? `Drawn by lot from the family ${master.drawn.family}, seed ${master.drawn.seed}.` : "");
    show(drawn, Boolean(master.drawn));
    const noticed = doc.responder?.noticed;
    setText(byId("noticed"), noticed ? `✓ ${noticed.who} saw something at ${clock(noticed.t_s)}.` : "Nobody has noticed anything yet.");
    const early = (master.noticed_early ?? []).map((one) => `${one.who} at ${clock(one.t_s)}`);
    setText(byId("early"), early.length ? `Before any fault was active: ${early.join(", ")}.` : "");
    show(byId("early"), early.length > 0);
  };
}

const note = textForm({ label: "Note", button: "Write it down", name: "note", rows: 2 });
byId("note").append(note.form);

begin("controls", [
  secretPanel(),
  sheetPanel(byId("sheet")),
  faultsPanel(byId("faults")),
  injectPanel(byId("inject")),
  guardrailsPanel(byId("guardrails")),
  loadPanel(byId("load")),
  beliefList(byId("beliefs"), (doc) => doc.gamemaster.beliefs),
  hintsToGive(byId("hints")),
  questionsPanel(byId("questions")),
  questionsToAsk(byId("ask")),
  branchesPanel(byId("branches")),
  findingsPanel(byId("findings")),
  numbersPanel(byId("numbers")),
  chartsPanel(byId("charts")),
  poolsPanel(byId("pools")),
  peoplePanel(byId("people")),
  eventsPanel(byId("events")),
  abortPanel(byId("abort-place")),
  holdingPanel(byId("holding")),
]);
shortcut("n", "write a note", () => note.control.focus());
