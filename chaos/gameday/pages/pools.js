/** Pools and their replicas: state, queues, and what the gateway thinks of each. Signs and words, never colour alone. */

import { h, keyed, keyedOr, longName, setAttr, setState, setText } from "./dom.js";
import { count } from "./format.js";

const SIGNS = { up: "●", silent: "✕", starting: "◔", off: "○", drained: "◌" };
/** From so many lines on, the wall shows them in a denser form, and in a smaller one. A pool needs two more lines. */
const [MANY, VERY_MANY] = [20, 33];

function thoughts(replica) {
  const found = [];
  const gateway = replica.gateway;
  if (replica.state !== "up") found.push([replica.state, replica.state === "silent" ? "bad" : "quiet"]);
  if (!gateway) return found;
  if (gateway.breaker && gateway.breaker !== "closed") {
    const text = String(gateway.breaker).replace("_", "-");
    found.push([`breaker ${text}`, text === "open" ? "bad" : "doubt"]);
  }
  if (gateway.ejected) found.push(["ejected", "bad"]);
  if (gateway.drained && replica.state !== "off") found.push(["drained", "doubt"]);
  return found;
}

function makeReplica(replica) {
  return h("li", { class: "replica" },
    h("span", { class: "sign", "aria-hidden": "true" }), longName(replica.name),
    h("span", { class: "queue" }, h("span", { class: "running", title: "running" }), h("span", { class: "waiting", title: "waiting" })),
    h("span", { class: "thoughts" }));
}

function updateReplica(node, replica) {
  setState(node, "state", replica.state);
  setText(node.querySelector(".sign"), SIGNS[replica.state] ?? "?");
  const known = replica.running !== null || replica.waiting !== null;
  setText(node.querySelector(".running"), known ? `${count(replica.running)} run` : "");
  setText(node.querySelector(".waiting"), known ? `${count(replica.waiting)} wait` : "");
  setState(node, "waits", replica.waiting > 0 ? "yes" : null);
  keyed(node.querySelector(".thoughts"), thoughts(replica), ([text]) => text, ([text, kind]) => h("span", { class: `tag ${kind}`, text }));
  const gateway = replica.gateway;
  setAttr(node, "title", gateway && typeof gateway.in_flight === "number" ? `${gateway.in_flight} in flight from the gateway; breaker ${gateway.breaker}` : null);
}

function sum(replicas, key) {
  const found = replicas.map((one) => one[key]).filter((one) => typeof one === "number");
  return found.length ? found.reduce((a, b) => a + b, 0) : null;
}

function poolText(pool) {
  const up = pool.replicas.filter((one) => one.state === "up").length;
  if (pool.reserve && up === 0) return `${pool.replicas.length} in reserve`;
  return `${up} of ${pool.replicas.length} up · ${count(sum(pool.replicas, "running"))} run · ${count(sum(pool.replicas, "waiting"))} wait`;
}

/** Make the pools in `root`. Returns what draws them. */
export function poolsPanel(root) {
  const list = h("ul", { class: "pools" });
  const empty = h("p", { class: "empty", text: "No pools are known." });
  const changes = h("ul", { class: "changes", "aria-label": "Changes in force" });
  root.append(changes, list, empty);
  return (doc) => {
    const live = doc.live ?? {};
    const pools = live.pools ?? [];
    keyed(changes, live.operations ?? [], (one) => one.n, (one) => h("li", { class: "tag doubt", text: one.text }),
      (node, one) => setText(node, one.text));
    const lines = pools.reduce((total, pool) => total + pool.replicas.length + 2, 0);
    setState(list, "dense", lines >= VERY_MANY ? "very" : lines >= MANY ? "yes" : null);
    keyedOr(empty, list, pools, (pool) => pool.name,
      (pool) => h("li", { class: "pool" },
        h("div", { class: "pool-head" }, h("span", { class: "pool-name" }, longName(pool.name)), h("span", { class: "cloud", text: pool.cloud }),
          h("span", { class: "sums" }), pool.reserve ? h("span", { class: "tag quiet", text: "reserve" }) : null),
        h("ul", { class: "replicas" })),
      (node, pool) => {
        setText(node.querySelector(".sums"), poolText(pool));
        keyed(node.querySelector(".replicas"), pool.replicas, (one) => one.name, makeReplica, updateReplica);
      });
  };
}
