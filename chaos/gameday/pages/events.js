/** The last lines of the log: time, kind as a word, who, text. */

import { h, keyed, show } from "./dom.js";
import { clock } from "./format.js";

/** A line of the log as an item of a list. */
export function eventRow(one) {
  return h("li", { class: "event", "data-kind": one.kind },
    h("time", { text: clock(one.t_s) }), h("span", { class: "kind", text: one.kind }),
    h("span", { class: "text" }, one.who ? h("span", { class: "by", text: `${one.who}: ` }) : null, one.text));
}

/** Make the last events in `root`, the newest first. Returns what draws them. */
export function eventsPanel(root) {
  const list = h("ol", { class: "events" });
  const empty = h("p", { class: "empty", text: "Nothing has happened yet." });
  root.append(list, empty);
  return (doc) => {
    const events = [...(doc.events ?? [])].reverse();
    keyed(list, events, (one) => one.n, eventRow);
    show(empty, events.length === 0);
  };
}
