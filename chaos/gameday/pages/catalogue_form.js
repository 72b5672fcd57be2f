/** The fields of a kind of fault, made from the keys of the catalogue: checkboxes, lists and texts. */

import { freshId, h } from "./dom.js";

const MANY = new Set(["targets", "replica", "replicas", "pool", "cloud", "tenant"]);
/** A fault that has all of these must be told which replicas it is for; `count` alone is for any of them. */
const PLACES = ["pool", "replica", "cloud"];

function checkboxes(key) {
  const boxes = key.choices.map((choice) => {
    const id = freshId("choice");
    return h("div", { class: "check" }, h("input", { type: "checkbox", id, value: choice }), h("label", { for: id, text: choice }));
  });
  return h("fieldset", { class: "choices" }, h("legend", { text: legend(key) }), h("div", { class: "checks" }, ...boxes),
    key.help ? h("p", { class: "help", text: key.help }) : null);
}

function legend(key) {
  return `${key.name.replaceAll("_", " ")}${key.required ? " (needed)" : ""}`;
}

function single(key) {
  const id = freshId("key");
  const rest = key.default === null || key.default === undefined ? (key.required ? "choose" : "not given") : `default: ${key.default}`;
  const control = key.choices
    ? h("select", { id }, h("option", { value: "", text: rest }), ...key.choices.map((choice) => h("option", { value: choice, text: choice })))
    : h("input", { type: "text", id, autocomplete: "off", maxlength: 500, placeholder: rest });
  if (key.help) control.setAttribute("aria-describedby", `${id}-help`);
  return h("div", { class: "field" }, h("label", { for: id, text: legend(key) }), control,
    key.help ? h("p", { class: "help", id: `${id}-help`, text: key.help }) : null);
}

/**
 * The fields of a kind. Those that are needed and those that choose targets come first; others are folded.
 * @param {{keys: Array<Object>}} kind
 * @returns {{node: HTMLElement, options: function(): Object<string, *>, missing: function(): (string|null)}}
 */
export function fieldsOf(kind) {
  const fields = kind.keys.map((key) => {
    const many = Boolean(key.choices?.length) && (key.many ?? MANY.has(key.name));
    return { key, many, node: many ? checkboxes(key) : single(key) };
  });
  const first = fields.filter(({ key, many }) => key.required || many);
  const rest = fields.filter((one) => !first.includes(one));
  const folded = rest.length > 2 && first.length > 0;
  const node = h("div", { class: "stack" }, ...first.map((one) => one.node), ...(folded ? [] : rest.map((one) => one.node)));
  if (folded) node.append(h("details", {}, h("summary", { text: `${rest.length} more options` }), h("div", { class: "stack" }, ...rest.map((one) => one.node))));
  const valueOf = ({ many, node: part }) => {
    if (!many) return part.querySelector("input, select").value.trim();
    const chosen = [...part.querySelectorAll("input:checked")].map((box) => box.value);
    return chosen.length > 1 ? chosen : chosen[0] ?? "";
  };
  const places = fields.filter(({ key }) => PLACES.includes(key.name));
  const selecting = fields.filter(({ key }) => PLACES.includes(key.name) || key.name === "count");
  return {
    node,
    options: () => Object.fromEntries(fields.map((one) => [one.key.name, valueOf(one)]).filter(([, value]) => value !== "")),
    missing: () => fields.find((one) => one.key.required && valueOf(one) === "")?.key.name
      ?? (places.length === PLACES.length && selecting.every((one) => valueOf(one) === "") ? "a pool, a replica or a cloud" : null),
  };
}
