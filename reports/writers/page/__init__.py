"""The report page's template, style and script: read as files by `reports.writers.html.page_writer`."""
