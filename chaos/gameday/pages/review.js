/** The review after the end: what was played beside what people believed, and the times of people, system and alerts. */

import { h, keyed, keyedOr, setText, show } from "./dom.js";
import { VERDICTS, clock, duration, labelOf } from "./format.js";

const WHO = { people: "People", system: "System", alerts: "Alerts" };

/** A verdict as a sign and a word. */
export function verdictOf(verdict) {
  const [kind, sign, text] = VERDICTS[verdict] ?? ["doubt", "?", verdict ?? ""];
  return h("span", { class: `verdict ${kind}` }, h("span", { class: "sign", "aria-hidden": "true", text: sign }), text);
}

/** Cause and component of a belief or of a fault, as labels. */
function named(one, lists) {
  return `${one.cause_label ?? labelOf(lists.causes, one.cause)}, ${one.component_label ?? labelOf(lists.components, one.component)}`;
}

function findingRow(one) {
  return h("li", {}, h("span", { class: `verdict ${one.found ? "good" : "doubt"}` },
    h("span", { class: "sign", "aria-hidden": "true", text: one.found ? "✓" : "–" }), one.found ? "found" : "not found"), ` ${one.text}`);
}

function truthRow(one, lists) {
  return h("li", {}, h("p", { class: "strong", text: one.text }),
    h("p", { class: "under", text: `${one.kind}: ${named(one, lists)}` }),
    h("p", { class: "under", text: `${clock(one.begin_s)} to ${clock(one.end_s)}; ended by ${one.ended_by || "nothing"}` }));
}

function beliefRow(one, lists) {
  return h("li", {}, h("p", { class: "strong" }, verdictOf(one.verdict), ` ${one.text}`),
    h("p", { class: "under", text: named(one, lists) }),
    h("p", { class: "under", text: `${one.who} at ${clock(one.t_s)}` }));
}

/** The value of a time: seconds, "never", or null where it was not measured. */
function valueOf(seconds) {
  return seconds === "never" ? seconds : duration(seconds);
}

function timeRow(one) {
  const explained = /[(,:]/.test(one.text);
  return h("li", {}, h("span", { class: "time-value", text: explained ? valueOf(one.seconds) : one.text }),
    h("span", { class: "strong", text: one.what }), h("span", { class: "under", text: explained ? one.text : "" }));
}

/** Make the review in `root`. Returns what draws it. */
export function reviewPanel(root) {
  const restored = h("p", { class: "restored" });
  const truth = h("ol", { class: "cards" });
  const beliefs = h("ol", { class: "cards" });
  const [noTruth, noBeliefs] = [h("p", { class: "empty", text: "No fault was played." }), h("p", { class: "empty", text: "Nobody wrote down a belief." })];
  const times = h("div", { class: "times" });
  const files = h("p", { class: "files" });
  const about = h("p", { class: "about" });
  const findings = h("ul", { class: "cards" });
  const expected = h("h3", { text: "Expected findings" });
  root.append(h("h2", { text: "Review: what it was" }), restored, about,
    h("div", { class: "beside" },
      h("div", {}, h("h3", { text: "What was played" }), truth, noTruth),
      h("div", {}, h("h3", { text: "What people believed" }), beliefs, noBeliefs)),
    h("h3", { text: "How long it took" }), times, expected, findings, files);
  let shown = "";
  return (doc) => {
    const { review } = doc;
    show(root, Boolean(review));
    const now = JSON.stringify(review);
    if (!review || now === shown) return;
    shown = now;
    const lists = doc.responder ?? {};
    setText(restored, review.restored.text);
    restored.className = `restored ${review.restored.verified ? "good" : "bad"}`;
    restored.prepend(h("strong", { text: review.restored.verified ? "✓ Restored and verified. " : "✕ Not verified. " }));
    keyedOr(noTruth, truth, review.truth.map((one) => [JSON.stringify(one), one]), ([key]) => key, ([, one]) => truthRow(one, lists));
    keyedOr(noBeliefs, beliefs, review.beliefs.map((one) => [JSON.stringify(one), one]), ([key]) => key, ([, one]) => beliefRow(one, lists));
    const groups = Object.keys(WHO).map((who) => [who, review.times.filter((one) => one.who === who)]).filter(([, found]) => found.length);
    keyed(times, groups, ([who, found]) => who + JSON.stringify(found),
      ([who, found]) => h("div", {}, h("h4", { text: WHO[who] }), h("ul", {}, ...found.map(timeRow))));
    setText(about, [review.title, review.description].filter(Boolean).join(": "));
    show(about, about.textContent !== "");
    const found = review.findings ?? [];
    keyed(findings, found, (one) => `${one.id} ${one.found}`, findingRow);
    show(expected, found.length > 0);
    keyed(files, review.files, (name) => name, (name) => h("a", { class: "button", href: `review/${encodeURIComponent(name)}`, text: `Open ${name}` }));
  };
}
