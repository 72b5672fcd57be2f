"""The post-mortem of an exercise: postmortem.md and postmortem.html, made from report.json alone.

entries    what happened, on three lanes: faults, system, people
summary    the exercise in a few sentences
view       the tables, as plain strings
axis       the three lanes on one axis of time, as SVG
markdown   the text of postmortem.md
page       the text of postmortem.html
files      writes both
"""
