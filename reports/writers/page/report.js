"use strict";
// Optional: copies the command, zooms the charts, unfolds the long table. The page works without it.
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

  document.getElementById("all-measures")?.addEventListener("change", (event) => {
    document.querySelector("table.measures").classList.toggle("all", event.target.checked);
  });
})();
