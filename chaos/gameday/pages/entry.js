/** The entry page: exchange the token of a link for a session under a name, and go on to the page of its role. */

import { announce, prepare } from "./announce.js";
import { PAGE_OF, enter, keep, kept, sessionRole, takeMessage } from "./api.js";
import { byId, setText, show } from "./dom.js";
import { ROLES } from "./format.js";

const NAME = "brownout.gameday.name";
const NO_TOKEN = "This address has no token. Open the whole link that you were given: it ends in #t= and a long text.";

const form = byId("enter");
const name = byId("name");
const button = byId("go");
const problem = byId("problem");
let token = "";

function say(text) {
  setText(problem, text);
  show(problem, text !== "");
}

/** Take the token out of the address, so that it is in no screenshot, bookmark or history. */
function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("t");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (found) token = found;
  show(form, token !== "");
  if (token) {
    say("");
    name.focus();
  } else if (!problem.textContent) say(NO_TOKEN);
}

async function offerReturn() {
  const role = await sessionRole();
  if (role === null || role === "unknown") return;
  const again = byId("again");
  again.href = PAGE_OF[role];
  setText(again, `Go on as ${ROLES[role]}`);
  show(byId("already"), true);
  if (!token) say("");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.dataset.busy !== undefined) return;
  const given = name.value.trim();
  if (!given || [...given].length > 40) {
    say(given ? "A name has at most 40 characters." : "Write your name first: others see it beside what you do.");
    name.focus();
    return;
  }
  button.dataset.busy = "";
  button.setAttribute("aria-disabled", "true");
  say("");
  try {
    const answer = await enter(token, given);
    keep(NAME, given);
    const told = `You are in as ${ROLES[answer.role] ?? answer.role}.`;
    setText(byId("role"), told);
    announce(told);
    location.replace(PAGE_OF[answer.role] ?? "wall");
  } catch (error) {
    say(error.message);
    announce(error.message, true);
  } finally {
    delete button.dataset.busy;
    button.removeAttribute("aria-disabled");
  }
});

prepare();
name.value = kept(NAME);
say(takeMessage());
takeToken();
window.addEventListener("hashchange", takeToken);
if (!token) offerReturn();
