/** The three charts of each page, one below the other on the same clock: calls, time to first token, requests. */

import { chart } from "./charts.js";
import { count, rate, seconds } from "./format.js";

/** Make the charts in `root`. Returns what draws them. */
export function chartsPanel(root) {
  const calls = chart(root, {
    title: "Calls", unit: "per second", format: rate,
    lines: [
      { key: "offered", label: "offered", mark: "circle" },
      { key: "good", label: "good", mark: "square" },
      { key: "failed", label: "failed", mark: "triangle" },
    ],
  });
  const ttft = chart(root, {
    title: "Time to first token", unit: "seconds", format: seconds, factor: 0.001, limitLabel: "objective",
    lines: [{ key: "ttft_ms", label: "TTFT", mark: "circle" }],
  });
  const requests = chart(root, {
    title: "Requests", unit: "in queues and in replicas", format: count,
    lines: [
      { key: "running", label: "running", mark: "circle" },
      { key: "queue", label: "waiting", mark: "square" },
    ],
  });
  return (doc) => {
    const charts = doc.live?.charts;
    if (!charts) return;
    calls.draw(charts);
    ttft.draw(charts, typeof doc.live.slo_ttft_s === "number" ? doc.live.slo_ttft_s : null);
    requests.draw(charts);
  };
}
