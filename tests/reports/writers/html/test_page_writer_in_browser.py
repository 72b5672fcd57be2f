"""report.html in a browser, offline: charts are drawn, buttons work, nothing is asked of a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.analysis import analyse
from reports.writers.html.page_writer import write_html
from tests.reports.writers.html.test_page_writer import lost_pool

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the page of a run with a lost pool."""
    folder = lost_pool(tmp_path_factory.mktemp("page") / "run").write()
    return write_html(analyse(folder, write=False), folder).as_uri()


class Visit:
    """A page, and what went wrong or out on it."""

    def __init__(self, browser: Browser, url: str, width: int = 1280, scheme: str = "light") -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        for place in self.page.locator("figure.chart .canvas").all():
            place.locator("canvas").first.wait_for(state="attached", timeout=10_000)

    def axis(self) -> list[float]:
        """What the charts show: from which second to which."""
        found: list[float] = self.page.evaluate(
            "(() => { const r = Bokeh.documents[0].get_model_by_name('seconds'); return [r.start, r.end]; })()"
        )
        return found


@pytest.fixture(scope="module")
def visit(browser: Browser, report: str) -> Visit:
    """The page, opened."""
    return Visit(browser, report)


def test_the_page_loads_nothing_and_complains_of_nothing(visit: Visit, report: str) -> None:
    assert [url for url in visit.requests if not url.startswith("data:")] == [report]
    assert visit.problems == []
    assert visit.page.locator("#charts-problem").is_hidden()


def test_every_chart_is_drawn_where_it_belongs(visit: Visit) -> None:
    for figure in visit.page.locator("figure.chart").all():
        canvas = figure.locator("canvas").first
        canvas.wait_for()
        box, place = canvas.bounding_box(), figure.bounding_box()
        assert box is not None
        assert place is not None
        assert box["width"] > 900
        assert place["y"] <= box["y"] <= place["y"] + place["height"]


def test_the_buttons_enlarge_all_charts_and_bring_them_back(visit: Visit) -> None:
    whole = visit.axis()
    visit.page.get_by_role("button", name="Around the fault").click()
    assert visit.axis() == [17.5, 32.5]
    visit.page.get_by_role("button", name="Whole run").click()
    assert visit.axis() == whole


def test_the_pointer_tells_the_numbers_of_its_second(visit: Visit) -> None:
    figure = visit.page.locator("#chart-calls .canvas")
    figure.hover(position={"x": 560, "y": 60})
    visit.page.locator(".bk-tooltip-row-label", has_text="offered").wait_for(timeout=10_000)


def test_a_click_on_a_row_shows_its_attributes(visit: Visit) -> None:
    row = visit.page.locator("details.fall[open] details.span", has_text="#1 tpu-0").first
    assert row.locator(".attributes").is_hidden()
    row.locator("summary").click()
    assert row.locator(".attributes").is_visible()
    assert "brownout.replica" in row.inner_text()


def test_the_long_table_unfolds(visit: Visit) -> None:
    rows = visit.page.locator("table.measures tbody tr:visible")
    few = rows.count()
    visit.page.get_by_label("all measures").check()
    assert rows.count() > few > 5


def test_the_command_can_be_copied(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Copy").click()
    visit.page.wait_for_function("document.getElementById('copy').textContent !== 'Copy'")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "dark")])
def test_no_page_is_wider_than_its_window(browser: Browser, report: str, width: int, scheme: str) -> None:
    visit = Visit(browser, report, width, scheme)

    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.problems == []
    paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    visit.page.close()
