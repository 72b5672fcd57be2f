/**
 * The pushes of the server: the present document once a second. Connects again by itself, and says how it is connected.
 *
 * A push has everything: after a gap, the next one is enough. Silence counts as a lost connection, since a server that
 * is there pushes each second whatever happens.
 */

import { sessionRole, toEntry } from "./api.js";

const SILENT_MS = 3500;
const REOPEN_MS = 9000;
const RETRY_MS = [500, 1000, 2000, 3000];
const CHECK_MS = 500;

/**
 * Follow the exercise.
 * @param {Object} to
 * @param {function(Object): void} to.onYou who this browser is: {id, name, role}
 * @param {function(Object): void} to.onState the document
 * @param {function({state: string, sinceMs: number, gapMs: number}): void} to.onLink called twice a second;
 *   state: "connecting", "live", "lost" or "ended" (the server said goodbye); sinceMs: time since the last document; gapMs: length of the last gap that
 *   has just ended, 0 if none
 */
export function follow({ onYou, onState, onLink }) {
  const link = { state: "connecting", heard: Date.now(), opened: Date.now(), gapMs: 0 };
  let source = null;
  let tries = 0;

  function told() {
    onLink({ state: link.state, sinceMs: Date.now() - link.heard, gapMs: link.gapMs });
  }

  function open() {
    source?.close();
    link.opened = Date.now();
    source = new EventSource("api/stream");
    source.addEventListener("you", (event) => onYou(JSON.parse(event.data)));
    source.addEventListener("state", (event) => {
      const now = Date.now();
      link.gapMs = link.state === "lost" || link.state === "ended" ? now - link.heard : 0;
      link.state = "live";
      link.heard = now;
      tries = 0;
      onState(JSON.parse(event.data));
      told();
      link.gapMs = 0;
    });
    source.addEventListener("bye", () => {
      link.state = "ended";
      told();
    });
    source.addEventListener("error", () => {
      if (link.state === "live") link.state = "lost";
      told();
      if (source.readyState === EventSource.CLOSED) reopen();
    });
  }

  let waiting = false;
  async function reopen() {
    if (waiting) return;
    waiting = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]));
    tries += 1;
    if ((await sessionRole()) === null) {
      toEntry("Your session is not known here any more. Open your link again to come back.");
      return;
    }
    waiting = false;
    open();
  }

  open();
  setInterval(() => {
    const now = Date.now();
    if (link.state === "live" && now - link.heard > SILENT_MS) link.state = "lost";
    if (link.state === "connecting" && now - link.heard > SILENT_MS) link.state = "lost";
    if (now - Math.max(link.heard, link.opened) > REOPEN_MS && !waiting) reopen();
    told();
  }, CHECK_MS);
  window.addEventListener("online", () => { if (link.state !== "live" && !waiting) open(); });
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
}
