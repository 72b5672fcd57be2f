/**
 * What every page of the exercise has: header with state and clock, how it is connected, banners, keys, who takes part.
 *
 * A page calls `begin` with the roles that it is for and with its panels: functions that get each document.
 */

import { announce, prepare } from "./announce.js";
import { PAGE_OF, leave } from "./api.js";
import { byId, h, keyed, setAttr, setState, setText, show } from "./dom.js";
import { ROLES, STATES, clock, duration } from "./format.js";
import { reviewPanel } from "./review.js";
import { listen, shortcut, showKeys } from "./shortcuts.js";
import { follow } from "./stream.js";

const OLD_S = 2;
const BACK_MS = 8000;
const PAGES = {
  wall: ["Wall", ["audience", "responder"]],
  respond: ["Respond", ["responder"]],
  scribe: ["Scribe", ["responder", "gamemaster"]],
  controls: ["Controls", ["gamemaster"]],
};

function header(page) {
  const part = {
    state: h("span", { class: "state", id: "state" }),
    title: h("h1", { id: "title", text: "Game day" }),
    clock: h("span", { class: "clock", id: "clock", text: "–" }),
    length: h("span", { class: "length" }),
    link: h("span", { class: "link", id: "link", text: "Connecting" }),
    you: h("span", { class: "you", id: "you" }),
    controls: h("span", { class: "holder", id: "holder" }),
    nav: h("nav", { "aria-label": "Pages" }),
    tools: h("div", { class: "tools" }),
  };
  part.tools.append(
    h("button", { type: "button", class: "quiet", on: { click: showKeys } }, "Keys ", h("kbd", { text: "?", "aria-hidden": "true" })),
    h("button", { type: "button", class: "quiet", text: "Leave", on: { click: leave } }));
  byId("top").append(
    h("div", { class: "what" }, part.state, part.title),
    h("div", { class: "time", role: "timer", "aria-label": "Clock of the exercise" }, part.clock, part.length),
    h("div", { class: "who" }, part.link, part.controls, part.you),
    h("div", { class: "where" }, part.nav, part.tools));
  document.body.dataset.page = page;
  return part;
}

function drawNav(nav, page, role) {
  const pages = Object.entries(PAGES).filter(([, [, roles]]) => roles.includes(role));
  keyed(nav, pages.length > 1 ? pages : [], ([name]) => name,
    ([name, [label]]) => h("a", { href: name, text: label, "aria-current": name === page ? "page" : null }));
}

const BANNERS = [
  ["link", "bad"], ["old", "doubt"], ["aborted", "bad"], ["notice", "doubt"], ["announcement", "good"], ["back", "good"],
];

function banners() {
  const nodes = {};
  for (const [name, kind] of BANNERS) {
    nodes[name] = h("p", { class: `banner ${kind}`, id: `banner-${name}`, hidden: true });
    byId("banners").append(nodes[name]);
  }
  return (name, text, urgent = false) => {
    const changed = nodes[name].textContent !== text;
    setText(nodes[name], text);
    show(nodes[name], text !== "");
    if (text && changed && urgent) announce(text, true);
  };
}

/** What to say about a page that is not for this role. */
function wrongPage(page, role) {
  const [label, roles] = PAGES[page];
  const own = PAGE_OF[role];
  byId("main").replaceChildren(h("section", { class: "panel wrong-page", role: "alert" },
    h("h2", { text: `${label} is not for your role` }),
    h("p", { text: `You came with the ${ROLES[role]}'s link; this page is for ${roles.map((one) => ROLES[one]).join(" and ")}. `
      + "To see it, open the link of that role, in another browser or a private window." }),
    h("p", {}, h("a", { class: "button primary", href: own, text: `Go to ${PAGES[own][0]}` }))));
}

/** Tell new lines of the log to screen readers. */
function newEvents() {
  let seen = null;
  return (events) => {
    const newest = events.length ? events.at(-1).n : 0;
    const fresh = seen === null ? [] : events.filter((one) => one.n > seen);
    seen = Math.max(seen ?? 0, newest);
    if (fresh.length) announce(fresh.map((one) => `${one.kind}: ${one.who ? `${one.who}, ` : ""}${one.text}`).join(". "));
  };
}

/**
 * Begin a page.
 * @param {string} page its name in PAGES
 * @param {Array<function(Object, Object): void>} panels called with each document, and who this is
 */
export function begin(page, panels) {
  prepare();
  const part = header(page);
  const banner = banners();
  const review = reviewPanel(byId("review"));
  const events = newEvents();
  let you = { id: "", name: "", role: "" };
  let document_ = null;
  let received = 0;
  let wrong = false;

  function drawTop(doc) {
    const { exercise } = doc;
    setText(part.title, exercise.title);
    document.title = `${clock(exercise.elapsed_s)} ${exercise.title} · ${PAGES[page][0]}`;
    setText(part.state, exercise.aborted && exercise.state !== "over" ? "Aborted" : STATES[exercise.state] ?? exercise.state);
    setState(part.state, "state", exercise.aborted && exercise.state !== "over" ? "aborted" : exercise.state);
    setState(document.body, "state", exercise.state);
    setText(part.clock, clock(exercise.elapsed_s));
    setText(part.length, exercise.length_s === null ? "" : `of ${clock(exercise.length_s)}`);
    const held = doc.controls ? (doc.controls.id === you.id ? "You have the controls" : `Controls: ${doc.controls.name}`) : "Nobody has the controls";
    setText(part.controls, held);
    banner("aborted", exercise.aborted
      ? "Aborted. Every fault is being reverted, or is reverted. Nothing can be injected until a game master releases it." : "", true);
    banner("notice", exercise.notice, true);
    banner("announcement", exercise.announcement, true);
  }

  function drawAge(link) {
    const live = document_?.live;
    const age = live && typeof live.age_s === "number" ? live.age_s + (Date.now() - received) / 1000 : null;
    const old = age !== null && age > OLD_S;
    const over = document_?.exercise.state === "over";
    if (link.state === "ended") {
      setText(part.link, "Server has ended");
      banner("link", "The server of this game day has ended. What you see is the last state. Should it come back, this page connects by itself.");
    } else if (link.state === "lost") {
      setText(part.link, "Connection lost");
      banner("link", document_
        ? `Connection lost ${duration(link.sinceMs / 1000)} ago. What you see is from then. Connecting again by itself.`
        : "No connection to the server yet. Trying again by itself.");
    } else {
      banner("link", "");
      setText(part.link, link.state === "connecting" ? "Connecting" : age === null ? "Connected" : `Numbers ${age.toFixed(1)} s old`);
    }
    banner("old", link.state === "live" && old && !over ? `These numbers are old: they were measured ${duration(age)} ago.` : "");
    setState(part.link, "link", link.state === "live" && old && !over ? "old" : link.state);
    setState(document.body, "numbers", link.state !== "live" || (old && !over) ? "old" : "fresh");
  }

  let linkState = "connecting";
  let backUntil = 0;
  follow({
    onYou(found) {
      you = found;
      setText(part.you, `${you.name}, ${ROLES[you.role] ?? you.role}`);
      wrong = !PAGES[page][1].includes(you.role);
      drawNav(part.nav, page, you.role);
      setState(document.body, "role", you.role);
      if (wrong) wrongPage(page, you.role);
    },
    onState(doc) {
      document_ = doc;
      received = Date.now();
      drawTop(doc);
      if (wrong) return;
      review(doc);
      events(doc.events ?? []);
      for (const panel of panels) {
        try {
          panel(doc, you);
        } catch (error) {
          reportError(error);
        }
      }
    },
    onLink(link) {
      if (link.state === "ended" && linkState !== "ended") announce("The server of this game day has ended.", true);
      if (link.state === "lost" && linkState === "live") announce("Connection lost. Connecting again by itself.", true);
      if (link.gapMs) {
        backUntil = Date.now() + BACK_MS;
        banner("back", `Connected again after ${duration(link.gapMs / 1000)}. This is the present state.`, true);
      } else if (Date.now() > backUntil || link.state === "lost") banner("back", "");
      linkState = link.state;
      drawAge(link);
    },
  });
  listen();
  for (const [name, [label, roles]] of Object.entries(PAGES)) {
    if (name !== page) shortcut(String(Object.keys(PAGES).indexOf(name) + 1), `go to ${label} (${roles.map((one) => ROLES[one]).join(", ")})`, () => {
      if (roles.includes(you.role)) location.assign(name);
    });
  }
  setAttr(byId("main"), "aria-busy", null);
}
