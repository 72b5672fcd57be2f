"use strict";
// Draws the charts of `reports.writers.html.canvas.spec`, all on one axis of seconds.
(() => {
  const INK = "#6f7683"; // readable on light and dark pages: the canvas is transparent
  const LEFT = 92;

  const axes = {
    axis_label_text_color: INK, axis_label_text_font_style: "normal", axis_label_text_font_size: "11px",
    major_label_text_color: INK, major_label_text_font_size: "11px",
    axis_line_color: INK, axis_line_alpha: 0.5, major_tick_line_color: INK, major_tick_line_alpha: 0.5,
    minor_tick_line_color: null,
  };
  const gaps = (series) => series.map((value) => value ?? NaN);
  const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

  function blank(chart, page, x_range) {
    const [start, end] = chart.y_range ?? [0, null];
    const figure = new Bokeh.Plotting.Figure({
      height: chart.height, sizing_mode: "stretch_width", x_range, toolbar_location: null,
      y_range: chart.y_range ? new Bokeh.Range1d({ start, end }) : new Bokeh.DataRange1d({ start: 0 }),
      y_axis_type: chart.log ? "log" : "linear",
      tools: [new Bokeh.BoxZoomTool({ dimensions: "width" })],
      min_border_left: LEFT, min_border_right: 14, min_border_top: 6, min_border_bottom: 22,
      background_fill_alpha: 0, border_fill_alpha: 0, outline_line_color: null,
    });
    for (const axis of [...figure.below, ...figure.left]) axis.setv(axes);
    for (const axis of figure.left) {
      axis.axis_label = chart.y_label;
      if (chart.log) axis.formatter = new Bokeh.PrintfTickFormatter({ format: "%g" });
      const ticks = chart.rows.length ? chart.rows.map(([at]) => at) : chart.ticks;
      if (ticks.length) axis.ticker = new Bokeh.FixedTicker({ ticks });
      if (chart.rows.length) axis.major_label_overrides = new Map(chart.rows);
    }
    for (const grid of figure.center) {
      if (!(grid instanceof Bokeh.Grid)) continue;
      const level = grid.dimension === 1 && !chart.rows.length;
      grid.setv({ grid_line_color: level ? INK : null, grid_line_alpha: 0.18 });
    }
    for (const [left, right] of page.faults) {
      figure.add_layout(new Bokeh.BoxAnnotation({
        left, right, fill_color: "#e0452c", fill_alpha: 0.1, line_color: null, level: "underlay",
      }));
    }
    for (const { left, right, colour } of chart.shades) {
      figure.add_layout(new Bokeh.BoxAnnotation({
        left, right, fill_color: colour, fill_alpha: 0.22, line_color: null, level: "underlay",
      }));
    }
    for (const location of page.phases) {
      figure.add_layout(new Bokeh.Span({
        location, dimension: "height", line_color: INK, line_alpha: 0.45, line_dash: "dotted", level: "underlay",
      }));
    }
    for (const line of chart.lines) {
      figure.add_layout(new Bokeh.Span({
        location: line.at, dimension: "width", line_color: line.colour, line_dash: "dashed", line_width: 1.2,
      }));
    }
    return figure;
  }

  function layers(figure, chart, seconds) {
    const size = Math.max(0, ...Object.values(chart.series).map((values) => values.length));
    const second = [...Array(Math.min(size, seconds)).keys()];
    const data = { x: second.map((at) => at + 0.5), second, floor: second.map(() => 0) };
    for (const [name, values] of Object.entries(chart.series)) data[name] = gaps(values);
    let floor = data.floor;
    for (const layer of chart.layers.filter((values) => values.kind === "bars")) {
      const bottom = floor;
      floor = data[layer.series].map((value, at) => bottom[at] + (value || 0));
      data[`${layer.series} bottom`] = bottom.map((value, at) => (data[layer.series][at] ? value : NaN));
      data[`${layer.series} top`] = floor;
    }
    const source = new Bokeh.ColumnDataSource({ data });
    const x = { field: "x" };
    for (const layer of chart.layers) {
      const y = { field: layer.series };
      const line = { line_color: layer.colour, line_width: layer.width, line_alpha: layer.alpha, line_dash: layer.dash };
      const fill = { fill_color: layer.colour, fill_alpha: layer.alpha };
      if (layer.kind === "area") {
        figure.varea({ x, y1: { field: layer.base || "floor" }, y2: y, source, ...fill });
      } else if (layer.kind === "bars") {
        const [bottom, top] = [{ field: `${layer.series} bottom` }, { field: `${layer.series} top` }];
        figure.vbar({ x, bottom, top, width: 0.9, source, line_color: null, ...fill });
      } else if (layer.kind === "steps") {
        figure.step({ x, y, source, mode: "after", ...line });
      } else {
        figure.line({ x, y, source, ...line });
      }
    }
    if (!chart.tooltip.length) return;
    // an invisible line without gaps, so that the tooltip shows in every second
    const anchor = figure.line({ x, y: { field: "floor" }, source, line_alpha: 0 });
    if (chart.log) anchor.glyph.y = { value: chart.y_range[0] };
    const rows = chart.tooltip.map(([name, series]) => [escaped(name), `@{${series}}{0.[000]}`]);
    figure.add_tools(new Bokeh.HoverTool({
      renderers: [anchor], mode: "vline", point_policy: "follow_mouse",
      tooltips: [["second", "@second"], ...rows],
    }));
  }

  function bands(figure, chart, room) {
    const data = Object.fromEntries(
      ["left", "right", "bottom", "top", "colour", "what", "why", "label"].map((key) => [key, chart.bands.map((band) => band[key])]),
    );
    data.label = chart.bands.map(({ label, left, right }) => (label.length * 6.5 <= (right - left) * room ? label : ""));
    data.when = chart.bands.map((band) => `${band.left.toFixed(2)} to ${band.right.toFixed(2)} s`);
    data.middle = chart.bands.map((band) => (band.left + band.right) / 2);
    data.centre = chart.bands.map((band) => (band.bottom + band.top) / 2);
    const source = new Bokeh.ColumnDataSource({ data });
    const field = (name) => ({ field: name });
    const named = chart.bands.some((band) => band.label);
    const quads = figure.quad({
      left: field("left"), right: field("right"), bottom: field("bottom"), top: field("top"),
      fill_color: field("colour"), fill_alpha: named ? 0.35 : 0.85, line_color: null, source,
    });
    if (named) {
      figure.text({
        x: field("middle"), y: field("centre"), text: field("label"), source,
        text_align: "center", text_baseline: "middle", text_font_size: "11px", text_color: "#6f7885",
      });
    }
    figure.add_tools(new Bokeh.HoverTool({
      renderers: [quads], point_policy: "follow_mouse", tooltips: [["", "@what"], ["when", "@when"], ["why", "@why"]],
    }));
  }

  function draw() {
    const page = JSON.parse(document.getElementById("charts-data").textContent);
    const x_range = new Bokeh.Range1d({ start: 0, end: page.seconds, bounds: [0, page.seconds], name: "seconds" });
    const places = [];
    const all = new Bokeh.Document();
    for (const chart of page.charts) {
      const figure = blank(chart, page, x_range);
      if (chart.layers.length) layers(figure, chart, page.seconds);
      const place = document.querySelector(`#chart-${chart.id} .canvas`);
      if (chart.bands.length) bands(figure, chart, (place.clientWidth - LEFT - 14) / page.seconds);
      all.add_root(figure);
      places.push(place);
    }
    return Bokeh.embed.add_document_standalone(all, document.body, places);
  }

  const failed = (problem) => {
    console.error(problem);
    document.getElementById("charts-problem").hidden = false;
  };
  try {
    Bokeh.set_log_level("warn");
    draw().catch(failed);
  } catch (problem) {
    failed(problem);
  }
})();
