"""Templates, style sheet and scripts of the pages. Data files, read by `reports.writers.html`.

report.html.jinja       the report page
comparison.html.jinja   the page of several runs side by side
postmortem.html.jinja   the post-mortem of an exercise
report.css              the style sheet of both
postmortem.css          the rest of the style of the post-mortem
report.js               copy, zoom and unfold on the report page
charts.js               draws the charts with Bokeh
"""
