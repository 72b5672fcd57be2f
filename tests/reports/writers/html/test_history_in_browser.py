"""history.html in a browser: every chart is drawn, nothing is loaded, nothing overflows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from reports.trend.history import history
from reports.writers.history import write_history
from tests.reports.writers.html.test_page_writer_in_browser import ARGS
from tests.support.trend_runs import write_history as write_runs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_every_chart_is_drawn_and_nothing_is_loaded(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", 24, lambda number: {"ttft.p95": 2.0 if number >= 16 else 1.0})
    url = write_history(history([tmp_path / "runs"]), tmp_path, last=5)[2].as_uri()
    problems: list[str] = []
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(url)
        for figure in page.locator("figure.chart").all():
            figure.scroll_into_view_if_needed()
            figure.locator("canvas").first.wait_for(state="attached", timeout=10_000)
        width = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert problems == []
    assert [one for one in requests if not one.startswith(("file:", "data:"))] == []
    assert width == 390
