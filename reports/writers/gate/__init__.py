"""The files that a gate writes, from a `brownout.result.Result`.

gate_json       gate.json: everything, for programs
junit           junit.xml: a suite per experiment, for a CI system
summary         summary.md: for a comment on a pull request, below 60 KB
sections        the sections of summary.md
experiment      the sections of one experiment
tables          the tables of gates, of compared measures and of runs
markdown_text   text from elsewhere, made safe for Markdown
annotations     GitHub: annotations of a pull request, and the summary of the step
exit_codes      what each exit code means for a pipeline
words           verdicts, values and changes as text
"""
