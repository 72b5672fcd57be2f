/**
 * Requests to the server: entering, leaving and actions.
 *
 * An action has a key of its own. Where its answer is lost, it is sent again with the same key: the server gives the
 * first answer again and does nothing a second time.
 */

import { ROLES } from "./format.js";

const TIMEOUT_MS = 15_000;
const GIVE_UP_MS = 60_000;
const BACKOFF_MS = [400, 800, 1600, 3200, 5000];
const MESSAGE = "brownout.gameday.message";

/** A refusal by the server, or no answer. `message` is for people. */
export class Refused extends Error {
  /** @param {string} text @param {number} status 0: no answer */
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

/** The page of each role, relative to the page that is shown. */
export const PAGE_OF = { gamemaster: "controls", responder: "respond", audience: "wall" };

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

async function send(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    if (response.ok) throw new TypeError("the answer is not JSON");
  }
  return { status: response.status, answer };
}

function refusal({ status, answer }) {
  const text = answer && typeof answer.error === "string" ? answer.error : `The server refused this (${status}).`;
  return new Refused(text, status);
}

/**
 * Carry out an action. Resolves to the server's text; rejects with Refused.
 * @param {string} name the action
 * @param {Object<string, *>} [args]
 * @param {function(): void} [repeated] called where no answer came and it is sent again
 */
export async function act(name, args = {}, repeated = () => {}) {
  const body = { ...args, key: uuid(), do: name };
  const began = Date.now();
  for (let attempt = 0; ; attempt += 1) {
    let result = null;
    try {
      result = await send("api/action", body);
    } catch {
      result = { status: 0, answer: null };
    }
    if (result.status >= 200 && result.status < 300) return String(result.answer.text ?? "Done.");
    if (result.status === 401) {
      toEntry("Your session has ended. Open your link again to come back.");
      throw new Refused("Your session has ended. Open your link again.", 401);
    }
    const lost = result.status === 0 || [502, 503, 504].includes(result.status);
    if (!lost) throw refusal(result);
    if (Date.now() - began > GIVE_UP_MS) {
      throw new Refused("No answer for a minute. It may have been done: look at the log before you try again.", 0);
    }
    repeated();
    await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]));
  }
}

/** Exchange the token of a link for a session. Resolves to {role, name}; rejects with Refused. */
export async function enter(token, name) {
  let result = null;
  try {
    result = await send("api/enter", { token, name });
  } catch {
    throw new Refused("The server does not answer. Is the game day still running? Try again.", 0);
  }
  if (result.status !== 200) throw refusal(result);
  return result.answer;
}

/** End the session of this browser and show the entry page. */
export async function leave() {
  try {
    await send("api/leave", {});
  } finally {
    toEntry("You have left. Open your link again to come back.");
  }
}

/** Whether there is a session: its role; null: none; "unknown": the server does not answer. */
export async function sessionRole() {
  try {
    const response = await fetch("api/state", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 401 || response.status === 403) return null;
    if (!response.ok) return "unknown";
    const { role } = await response.json();
    return role in ROLES ? role : "unknown";
  } catch {
    return "unknown";
  }
}

/** Show the entry page with a message. */
export function toEntry(message) {
  keep(MESSAGE, message);
  location.replace("./");
}

/** The message that `toEntry` left, once. */
export function takeMessage() {
  const found = kept(MESSAGE);
  keep(MESSAGE, "");
  return found;
}

/** What this tab remembers under a name; "" if nothing. */
export function kept(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** Remember a text in this tab; "" forgets it. */
export function keep(name, text) {
  try {
    if (text) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
  } catch {
    // A browser that stores nothing: the page works, it only remembers nothing.
  }
}
