"use strict";
// Optional: copies the command, zooms the charts, prepares the page for print. The page works without it.
(() => {
  const seconds = () =>
    (window.Bokeh?.documents ?? []).map((doc) => doc.get_model_by_name("seconds")).find((range) => range);
  let whole = null;
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const range = seconds();
      if (!range) return;
      whole ??= range.bounds ?? [range.start, range.end];
      const [start, end] = button.dataset.zoom === "all" ? whole : button.dataset.zoom.split(",").map(Number);
      range.setv({ start, end });
    });
  }

  const command = document.getElementById("command");
  const copy = document.getElementById("copy");
  const show = (text) => { copy.textContent = text; setTimeout(() => { copy.textContent = "Copy"; }, 1500); };
  const select = () => {
    const selection = window.getSelection();
    selection.selectAllChildren(command);
    show(document.execCommand("copy") ? "Copied" : "Selected");
  };
  copy?.addEventListener("click", () => {
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(command.textContent).then(() => show("Copied"), select);
  });

  // A table that is wider than its frame can be scrolled: it says so.
  const mark = () => {
    for (const frame of document.querySelectorAll(".scroll")) {
      frame.classList.toggle("wide", frame.scrollWidth > frame.clientWidth + 1);
    }
  };
  mark();
  window.addEventListener("resize", mark);
  document.addEventListener("toggle", mark, true);

  // A link to a folded part opens it.
  const open = () => {
    const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (part?.tagName === "DETAILS") { part.open = true; part.scrollIntoView(); }
  };
  window.addEventListener("hashchange", open);
  open();

  // In print every part is open, and the charts are pictures that fit the paper.
  let opened = null;
  const canvases = (root) => [...root.querySelectorAll("*")].flatMap((part) => [
    ...(part.localName === "canvas" ? [part] : []), ...(part.shadowRoot ? canvases(part.shadowRoot) : []),
  ]);
  const picture = (place) => {
    const drawn = canvases(place).filter((canvas) => canvas.width && canvas.height);
    if (!drawn.length) return;
    const copy = document.createElement("canvas");
    copy.className = "printed";
    [copy.width, copy.height] = [drawn[0].width, drawn[0].height];
    for (const canvas of drawn) copy.getContext("2d").drawImage(canvas, 0, 0);
    copy.setAttribute("role", "img");
    copy.setAttribute("aria-label", place.getAttribute("aria-label"));
    place.after(copy);
  };
  const before = () => {
    if (opened) return;
    opened = [...document.querySelectorAll("details:not([open])")];
    document.querySelectorAll(".canvas").forEach(picture);
    for (const part of opened) part.open = true;
  };
  const after = () => {
    for (const part of opened ?? []) part.open = false;
    for (const copy of document.querySelectorAll(".printed")) copy.remove();
    opened = null;
  };
  window.addEventListener("beforeprint", before);
  window.addEventListener("afterprint", after);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? before() : after()));
})();
