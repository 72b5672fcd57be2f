/** Inject a fault of the catalogue by hand: its fields, a preview of exactly what it will hit, then the injection. */

import { answerLine, busy, carryOut, clearSent, tell } from "./actions.js";
import { Refused, act } from "./api.js";
import { fieldsOf } from "./catalogue_form.js";
import { field, h, setText, show } from "./dom.js";

const CALM_MS = 450;

/** Make the form in `root`. Returns what updates it. */
export function injectPanel(root) {
  const kindSelect = h("select", {});
  const about = h("p", { class: "help" });
  const fields = h("div", {});
  const duration = h("input", { type: "text", autocomplete: "off", placeholder: "until it is reverted", list: "durations", maxlength: 20 });
  const reason = h("input", { type: "text", autocomplete: "off", maxlength: 500 });
  const preview = h("p", { class: "preview-box", role: "status" });
  const button = h("button", { type: "submit", class: "danger", text: "Inject it" });
  const line = answerLine();
  const form = h("form", { class: "stack" }, field("Fault", kindSelect), about, fields,
    field("For how long", duration, "30s, 2m; empty: until you revert it"),
    field("Why (may be left empty)", reason),
    h("datalist", { id: "durations" }, ...["15s", "30s", "1m", "2m", "5m"].map((value) => h("option", { value }))),
    preview, h("div", { class: "row needs-controls" }, button), line);
  const empty = h("p", { class: "empty", text: "No fault of the catalogue is possible on this target." });
  root.append(form, empty);

  let catalogue = [];
  let shape = "";
  let made = null;
  let timer = 0;
  let wanted = 0;
  let sure = null;

  function given() {
    const span = duration.value.trim();
    return { kind: kindSelect.value, options: made?.options() ?? {}, ...(span ? { for: span } : {}) };
  }

  function ready(args, text, kind) {
    sure = args;
    setText(preview, text);
    preview.dataset.kind = kind;
    button.toggleAttribute("data-unsure", args === null);
  }

  async function look() {
    const round = ++wanted;
    const args = given();
    const missing = made?.missing();
    if (!args.kind) return ready(null, "Choose a fault to see what it will hit.", "wait");
    if (missing) return ready(null, `Choose: ${missing.replaceAll("_", " ")}.`, "wait");
    ready(null, "Looking what it will hit.", "wait");
    try {
      const options = args.for ? { ...args.options, for: args.for } : args.options;
      const text = await act("preview", { kind: args.kind, options });
      if (round === wanted) ready(args, text, "good");
    } catch (error) {
      if (round === wanted) ready(null, error instanceof Refused ? error.message : String(error), "bad");
    }
    return undefined;
  }

  function soon() {
    wanted += 1;
    ready(null, "Looking what it will hit.", "wait");
    clearTimeout(timer);
    timer = setTimeout(look, CALM_MS);
  }

  function choose() {
    const kind = catalogue.find((one) => one.kind === kindSelect.value);
    setText(about, kind?.title ?? "");
    made = kind ? fieldsOf(kind) : null;
    fields.replaceChildren(...(made ? [made.node] : []));
    clearTimeout(timer);
    look();
  }

  kindSelect.addEventListener("change", choose);
  form.addEventListener("input", (event) => { if (event.target !== kindSelect && event.target !== reason) soon(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy(button)) return;
    if (!sure) {
      tell(line, "Wait for the preview: it must say what this will hit before it can be injected.", "bad");
      return;
    }
    const why = reason.value.trim();
    if (await carryOut(button, line, "inject", why ? { ...sure, reason: why } : sure)) clearSent(reason, why);
  });

  return (doc) => {
    catalogue = doc.gamemaster.catalogue;
    show(form, catalogue.length > 0);
    show(empty, catalogue.length === 0);
    const now = JSON.stringify(catalogue);
    if (now === shape || document.activeElement === kindSelect) return;
    const before = catalogue.find((one) => one.kind === kindSelect.value);
    const same = shape && JSON.stringify(before) === JSON.stringify(JSON.parse(shape).find((one) => one.kind === kindSelect.value));
    shape = now;
    const chosen = kindSelect.value;
    const places = [...new Set(catalogue.map((one) => one.where))];
    kindSelect.replaceChildren(h("option", { value: "", text: "choose" }), ...places.map((where) => h("optgroup", { label: where },
      ...catalogue.filter((one) => one.where === where).map((one) => h("option", { value: one.kind, text: one.kind })))));
    if (before) kindSelect.value = chosen;
    if (!same) choose();
  };
}
