"""The output files. A writer is a function from a report and a folder to the path of the file it wrote.

json_report   report.json: everything, for programs
junit         junit.xml: one test case per gate, for a CI system
junit_xml     JUnit XML from suites and cases
gate          the files of a gate over several experiments and runs
comparison    comparison.json, .md and .html: several runs side by side
history       history.json, .md and .html: runs over time
markdown      the Markdown files: summary.md, comparison.md, history.md
html          the pages: report.html, comparison.html
postmortem    the post-mortem of an exercise: postmortem.md, postmortem.html
views         parts of a report as plain strings, shared by markdown and html
page          templates, style sheet and scripts of the pages (data, no code)
"""
