"""Markdown for people: one page per run, one per comparison.

summary      summary.md, also for a GitHub job summary
overload     the parts of summary.md about metastability, tenants and cost
comparison   comparison.md
history      history.md
page         a Markdown text as an HTML page of its own
text         escaping of text for a Markdown table
"""
