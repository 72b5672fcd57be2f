"""The pages: report.html, comparison.html and history.html, each one file that loads nothing.

page_writer   writes report.html: template, texts, charts
view          the texts and tables of the page
headline      the first screen: what broke and why, the faults, what helps
failures      the failed calls and the lost sessions, grouped by reason
waterfall     the worst failovers as rows with positions in percent
windows       the fault windows of chaos by hand
exercise      how fast people were in an exercise, with a link to its post-mortem
proofs        the evidence that the run is valid
twin          the comparison with the twin run
charts        the timeline charts; the list of all charts
bands         the charts of phases and of replica health
pressure      the charts of waits and of shed calls
recovery      the chart of good / offered with the grace period
alternative   a chart in words
canvas        what a chart is: series, layers, bands
palette       the colours
comparison    writes comparison.html's text
history       writes history.html's text
history_charts   the charts of history.html
"""
