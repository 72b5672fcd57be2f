/** The large numbers: offered and good calls, time to first token, sessions, the gateway's queue. */

import { h, keyed, setState, setText } from "./dom.js";
import { count, percent, plain, rate, seconds } from "./format.js";

/** Below this share of good calls, the number is marked. */
const GOOD_SHARE = 0.9;

function tiles(live) {
  const over = typeof live.ttft_ms === "number" && typeof live.slo_ttft_s === "number" && live.ttft_ms / 1000 > live.slo_ttft_s;
  const share = live.offered_per_s > 0 ? live.good_per_s / live.offered_per_s : null;
  const load = live.load ?? {};
  const gateway = live.gateway ?? { state: "none" };
  return [
    { id: "offered", label: "Offered", value: rate(live.offered_per_s), unit: "calls/s",
      under: load.running ? `load × ${plain(load.level)}` : "the load is stopped", kind: load.running ? "" : "doubt" },
    { id: "good", label: "Good", value: rate(live.good_per_s), unit: "calls/s",
      under: `${share !== null && share < GOOD_SHARE ? "▲ " : ""}${percent(live.good_per_s, live.offered_per_s)} of offered`, kind: share !== null && share < GOOD_SHARE ? "bad" : "" },
    { id: "failed", label: "Failed", value: rate(live.failed_per_s), unit: "calls/s",
      under: `${percent(live.failed_per_s, live.offered_per_s)} of offered`, kind: "" },
    { id: "ttft", label: "Time to first token", value: seconds(live.ttft_ms === null ? null : live.ttft_ms / 1000), unit: "s",
      under: live.slo_ttft_s === null || live.slo_ttft_s === undefined ? "no objective"
        : `${over ? "▲ over" : "within"} ${plain(live.slo_ttft_s)} s`, kind: over ? "bad" : "" },
    { id: "sessions", label: "Sessions running", value: count(live.sessions?.running ?? null), unit: "",
      under: `${count(live.sessions?.succeeded ?? null)} succeeded`, kind: "" },
    { id: "lost", label: "Sessions lost", value: count(live.sessions?.lost ?? null), unit: "",
      under: live.sessions?.lost > 0 ? "▲ since the start" : "since the start", kind: live.sessions?.lost > 0 ? "bad" : "" },
    { id: "queue", label: "Gateway queue", value: count(gateway.queued), unit: "",
      under: { up: gateway.panic ? "▲ panic: sends to all" : "gateway is up", silent: "▲ gateway is silent", none: "no gateway" }[gateway.state] ?? gateway.state,
      kind: gateway.state === "silent" || gateway.panic ? "bad" : "" },
  ];
}

/** Make the tiles in `root` (a list). Returns what draws them. */
export function numbersPanel(root) {
  return (doc) => {
    keyed(root, tiles(doc.live ?? {}), (one) => one.id,
      (one) => h("li", { class: "tile", id: `tile-${one.id}` },
        h("span", { class: "label", text: one.label }),
        h("span", { class: "figure" }, h("span", { class: "value" }), h("span", { class: "unit", text: one.unit })),
        h("span", { class: "under" })),
      (node, one) => {
        setText(node.querySelector(".value"), one.value);
        setText(node.querySelector(".under"), one.under);
        setState(node, "kind", one.kind || null);
      });
  };
}
