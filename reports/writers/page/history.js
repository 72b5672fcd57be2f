"use strict";
// Draws the charts of `reports.writers.html.history_charts`: one point for each run, in the order of their start.
(() => {
  const INK = "#6f7683"; // readable on light and dark pages: the canvas is transparent
  const axes = {
    axis_label_text_color: INK, axis_label_text_font_style: "normal", axis_label_text_font_size: "11px",
    major_label_text_color: INK, major_label_text_font_size: "11px",
    axis_line_color: INK, axis_line_alpha: 0.5, major_tick_line_color: INK, major_tick_line_alpha: 0.5,
    minor_tick_line_color: null,
  };
  const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

  function draw(chart) {
    const [start, end] = chart.range;
    const figure = new Bokeh.Plotting.Figure({
      height: 170, sizing_mode: "stretch_width", toolbar_location: null, tools: [],
      x_range: new Bokeh.Range1d({ start: 0.4, end: chart.x.length + 0.6 }), y_range: new Bokeh.Range1d({ start, end }),
      min_border_left: 62, min_border_right: 8, min_border_top: 6, min_border_bottom: 20,
      background_fill_alpha: 0, border_fill_alpha: 0, outline_line_color: null,
    });
    for (const axis of [...figure.below, ...figure.left]) axis.setv(axes);
    for (const axis of figure.left) axis.setv({ axis_label: chart.unit, ticker: new Bokeh.BasicTicker({ desired_num_ticks: 4 }) });
    for (const axis of figure.below) {
      const n = chart.x.length;
      const ticks = n < 2 ? [1] : [1, Math.round((1 + n) / 2), n];
      axis.ticker = new Bokeh.FixedTicker({ ticks });
      const days = ticks.map((at) => chart.when[at - 1].slice(0, 10));
      const apart = new Set(days).size === days.length; // else the time tells the runs of one day apart
      axis.major_label_overrides = new Map(ticks.map((at, i) => [at, apart ? days[i] : chart.when[at - 1].slice(5, 16)]));
    }
    for (const grid of figure.center) {
      if (grid instanceof Bokeh.Grid) grid.setv({ grid_line_color: grid.dimension === 1 ? INK : null, grid_line_alpha: 0.18 });
    }
    const span = (values) => figure.add_layout(new Bokeh.Span({ line_width: 1.6, line_dash: "dashed", ...values }));
    if (chart.limit !== null) span({ location: chart.limit, dimension: "width", line_color: INK, line_dash: "dotted" });
    for (const { x, colour } of chart.changes) span({ location: x, dimension: "height", line_color: colour });
    const y = chart.y.map((value) => value ?? NaN);
    const data = {
      x: chart.x, y, colour: chart.colours, text: chart.texts.map(escaped), when: chart.when, run: chart.runs.map(escaped),
      alpha: chart.counts.map((counts) => (counts ? 0.9 : 0)), edge: chart.counts.map((counts) => (counts ? 0 : 0.8)),
    };
    const source = new Bokeh.ColumnDataSource({ data });
    const field = (name) => ({ field: name });
    figure.line({ x: chart.x, y, line_color: INK, line_alpha: 0.3, line_width: 1 });
    for (const level of chart.levels) {
      figure.line({ x: [level.from, level.to], y: [level.at, level.at], line_color: INK, line_width: 3, line_alpha: 0.55 });
    }
    const points = figure.scatter({
      x: field("x"), y: field("y"), source, size: chart.x.length > 150 ? 4 : 7, fill_color: field("colour"),
      fill_alpha: field("alpha"), line_color: field("colour"), line_alpha: field("edge"),
    });
    figure.add_tools(new Bokeh.HoverTool({
      renderers: [points], point_policy: "follow_mouse", tooltips: [["", "@text"], ["run", "@when"], ["", "@run"]],
    }));
    const all = new Bokeh.Document();
    all.add_root(figure);
    return Bokeh.embed.add_document_standalone(all, document.body, [document.querySelector(`#chart-${chart.id} .canvas`)]);
  }

  const failed = (problem) => {
    console.error(problem);
    document.getElementById("charts-problem").hidden = false;
  };
  try {
    Bokeh.set_log_level("warn");
    const charts = new Map(JSON.parse(document.getElementById("charts-data").textContent).map((chart) => [`chart-${chart.id}`, chart]));
    // A page can have hundreds of charts: each is drawn when it comes near the screen.
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const chart = charts.get(entry.target.id);
        if (!entry.isIntersecting || !chart) continue;
        charts.delete(entry.target.id);
        watch.unobserve(entry.target);
        draw(chart).catch(failed);
      }
    }, { rootMargin: "1200px" });
    for (const figure of document.querySelectorAll("figure.chart")) watch.observe(figure);
  } catch (problem) {
    failed(problem);
  }
})();
