/**
 * Line charts of the last five minutes as SVG: axes with units, gaps where nothing was measured, and the name and the
 * present value of each line at its end. Lines differ in colour, in dashes and in their end mark.
 */

import { h, setAttr, setText, show } from "./dom.js";
import { clock } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

function s(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Room for the labels at the ends of lines; the same for all charts, so that their clocks align. */
const END_EM = 8.3;

/** A round step for about `wanted` ticks up to `top`. */
function step(top, wanted) {
  const rough = top / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999) ?? rough;
}

/** Move labels apart so that they are `gap` from each other, between `low` and `high`. */
export function spread(places, gap, low, high) {
  const order = places.map((y, index) => ({ y: Math.min(high, Math.max(low, y)), index })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < order.length; i += 1) order[i].y = Math.max(order[i].y, order[i - 1].y + gap);
  if (order.length) order.at(-1).y = Math.min(order.at(-1).y, Math.max(high, low + gap * (order.length - 1)));
  for (let i = order.length - 2; i >= 0; i -= 1) order[i].y = Math.min(order[i].y, order[i + 1].y - gap);
  const found = [];
  for (const { y, index } of order) found[index] = y;
  return found;
}

/** The path of a line; a value that stands alone between gaps is a dot. */
export function path(values, x, y) {
  let text = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null || value === undefined) {
      pen = false;
      return;
    }
    const at = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    text += pen ? `L${at}` : `M${at}h0`;
    pen = true;
  });
  return text;
}

function mark(shape, x, y, r) {
  if (shape === "square") return s("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r });
  if (shape === "triangle") return s("path", { d: `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}L${x - 1.2 * r} ${y + r}Z` });
  return s("circle", { cx: x, cy: y, r });
}

function last(values) {
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null) return index;
  return -1;
}

/**
 * A chart in `root`.
 * @param {HTMLElement} root
 * @param {Object} of
 * @param {string} of.title
 * @param {string} of.unit
 * @param {function(number): string} of.format
 * @param {number} [of.factor] the values are multiplied by it
 * @param {Array<{key: string, label: string, mark: string}>} of.lines
 * @param {string} [of.limitLabel] name of the limit, if the chart has one
 * @returns {{draw: function(Object, (number|null)=): void}}
 */
export function chart(root, { title, unit, format, lines, factor = 1, limitLabel = "limit" }) {
  const readout = h("span", { class: "readout", "aria-hidden": "true" });
  const svg = s("svg", { role: "img", "aria-label": title, preserveAspectRatio: "none" });
  const canvas = h("div", { class: "canvas" }, svg);
  const empty = h("p", { class: "empty", text: "No numbers yet." });
  root.append(h("figure", { class: "chart" },
    h("figcaption", {}, h("strong", { text: title }), h("span", { class: "unit", text: unit }), readout), canvas, empty));
  let data = null;
  let limit = null;
  let pointer = null;

  function render() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!data || width < 60 || height < 40) return;
    const em = parseFloat(getComputedStyle(svg).fontSize);
    const all = lines.map((line) => (data[line.key] ?? []).map((value) => (typeof value === "number" ? value * factor : null)));
    const points = Math.max(...all.map((values) => values.length), 2);
    const values = all.flat().filter((value) => value !== null);
    show(empty, values.length === 0);
    canvas.classList.toggle("blank", values.length === 0);
    const area = { left: em * 2.9, right: width - em * END_EM, top: em * 0.6, bottom: height - em * 1.7 };
    const top = Math.max(...values, limit ?? 0, 1e-9) * 1.06;
    const tick = step(top, Math.max(2, Math.min(5, Math.floor((area.bottom - area.top) / (em * 2.4)))));
    const most = Math.ceil(top / tick) * tick;
    const x = (index) => area.left + ((area.right - area.left) * index) / (points - 1);
    const y = (value) => area.bottom - ((area.bottom - area.top) * value) / most;
    const parts = [];
    for (let value = 0; value <= most * 1.001; value += tick) {
      parts.push(s("line", { class: value ? "grid" : "base", x1: area.left, x2: area.right, y1: y(value), y2: y(value) }),
        s("text", { class: "tick end", x: area.left - em * 0.5, y: y(value) + em * 0.35 }, Number(value.toPrecision(6))));
    }
    const [span, end] = [(points - 1) * data.step_s, data.end_s];
    const every = (area.right - area.left) / (span / 60) > em * 3.2 ? 60 : 120;
    for (let at = Math.ceil((end - span) / every) * every; at <= end; at += every) {
      const place = area.right - ((end - at) / span) * (area.right - area.left);
      parts.push(s("line", { class: "grid", x1: place, x2: place, y1: area.bottom, y2: area.bottom + em * 0.3 }),
        s("text", { class: "tick middle", x: place, y: area.bottom + em * 1.4 }, clock(at)));
    }
    if (limit !== null) {
      parts.push(s("line", { class: "limit", x1: area.left, x2: area.right, y1: y(limit), y2: y(limit) }),
        s("text", { class: "limit-label", x: area.left + em * 0.4, y: y(limit) - em * 0.35 }, `${limitLabel} ${format(limit)}`));
    }
    const ends = all.map((found) => last(found));
    const labels = spread(ends.map((at, index) => (at < 0 ? area.bottom : y(all[index][at]))), em * 1.3, area.top + em * 0.3, area.bottom);
    lines.forEach((line, index) => {
      const [found, at] = [all[index], ends[index]];
      const group = s("g", { class: `line ${line.key}` });
      group.append(s("path", { class: "stroke", d: path(found, x, y) }));
      if (at >= 0) group.append(mark(line.mark, x(at), y(found[at]), em * 0.28));
      const now = at === found.length - 1 && at >= 0 ? format(found[at]) : "–";
      const label = s("text", { class: "label", x: area.right + em * 0.8, y: labels[index] + em * 0.35 });
      label.append(s("tspan", { class: "name" }, `${line.label} `), s("tspan", { class: "now" }, now));
      group.append(label);
      parts.push(group);
    });
    if (pointer !== null) {
      const index = Math.round(((pointer - area.left) / (area.right - area.left)) * (points - 1));
      if (index >= 0 && index < points) {
        parts.push(s("line", { class: "pointer", x1: x(index), x2: x(index), y1: area.top, y2: area.bottom }));
        const said = lines.map((line, at) => `${line.label} ${all[at][index] === null ? "–" : format(all[at][index])}`);
        setText(readout, `at ${clock(end - span + index * data.step_s)}: ${said.join(", ")}`);
      }
    } else setText(readout, "");
    setAttr(svg, "viewBox", `0 0 ${width} ${height}`);
    setAttr(svg, "aria-label", summary(all));
    svg.replaceChildren(...parts);
  }

  function summary(all) {
    const said = lines.map((line, index) => {
      const values = all[index].filter((value) => value !== null);
      if (!values.length) return `${line.label}: no numbers`;
      const now = all[index].at(-1);
      return `${line.label}: now ${now === null ? "unknown" : format(now)}, from ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
    });
    return `${title}, ${unit}, the last five minutes. ${said.join(". ")}.`;
  }

  canvas.addEventListener("pointermove", (event) => {
    pointer = event.clientX - canvas.getBoundingClientRect().left;
    render();
  });
  canvas.addEventListener("pointerleave", () => { pointer = null; render(); });
  new ResizeObserver(render).observe(canvas);
  return {
    draw(charts, limitNow = null) {
      [data, limit] = [charts, limitNow];
      render();
    },
  };
}
