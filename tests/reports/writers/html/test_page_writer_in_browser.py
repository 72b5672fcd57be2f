"""report.html in a browser: charts are drawn, buttons work, nothing is loaded from a network."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.analysis import analyse
from reports.writers.html.page_writer import write_html
from tests.support.lost_pool import lost_pool_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the page of `lost_pool_run`."""
    folder = lost_pool_run(tmp_path_factory.mktemp("page") / "run").write()
    return write_html(analyse(folder, write=False), folder).as_uri()


class OpenPage:
    """A page in the browser, with its errors and its requests."""

    def __init__(self, browser: Browser, url: str, width: int = 1280, scheme: str = "light") -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        for place in self.page.locator("figure.chart .canvas").all():
            place.locator("canvas").first.wait_for(state="attached", timeout=10_000)

    def axis(self) -> list[float]:
        """The range that the charts show, seconds."""
        found: list[float] = self.page.evaluate(
            "(() => { const r = Bokeh.documents[0].get_model_by_name('seconds'); return [r.start, r.end]; })()"
        )
        return found


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> OpenPage:
    """The page, open in the browser."""
    return OpenPage(browser, url)


def test_the_page_loads_nothing_and_has_no_errors(opened: OpenPage, url: str) -> None:
    assert [asked for asked in opened.requests if not asked.startswith("data:")] == [url]
    assert opened.problems == []
    assert opened.page.locator("#charts-problem").is_hidden()


def test_every_chart_is_drawn_in_its_figure(opened: OpenPage) -> None:
    for figure in opened.page.locator("figure.chart").all():
        canvas = figure.locator("canvas").first
        canvas.wait_for()
        box, place = canvas.bounding_box(), figure.bounding_box()
        assert box is not None
        assert place is not None
        assert box["width"] > 900
        assert place["y"] <= box["y"] <= place["y"] + place["height"]


def test_the_buttons_zoom_all_charts_in_and_out(opened: OpenPage) -> None:
    whole = opened.axis()
    opened.page.get_by_role("button", name="Around the fault").click()
    assert opened.axis() == [17.5, 32.5]
    opened.page.get_by_role("button", name="Whole run").click()
    assert opened.axis() == whole


def test_hovering_over_a_chart_shows_its_values(opened: OpenPage) -> None:
    figure = opened.page.locator("#chart-calls .canvas")
    figure.hover(position={"x": 560, "y": 60})
    opened.page.locator(".bk-tooltip-row-label", has_text="offered").wait_for(timeout=10_000)


def test_clicking_a_row_shows_its_attributes(opened: OpenPage) -> None:
    row = opened.page.locator("details.failover[open] details.span", has_text="#1 tpu-0").first
    assert row.locator(".attributes").is_hidden()
    row.locator("summary").click()
    assert row.locator(".attributes").is_visible()
    assert "brownout.replica" in row.inner_text()


def test_all_measures_can_be_shown(opened: OpenPage) -> None:
    rows = opened.page.locator("table.measures tbody tr:visible")
    few = rows.count()
    opened.page.get_by_label("all measures").check()
    assert rows.count() > few > 5


def test_the_command_can_be_copied(opened: OpenPage) -> None:
    opened.page.get_by_role("button", name="Copy").click()
    opened.page.wait_for_function("document.getElementById('copy').textContent !== 'Copy'")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(390, "light"), *(pytest.param(width, "dark", marks=pytest.mark.long) for width in (390, 1280))],
)
def test_the_page_is_not_wider_than_its_window(browser: Browser, url: str, width: int, scheme: str) -> None:
    opened = OpenPage(browser, url, width, scheme)

    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.problems == []
    paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    opened.page.close()


WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.checkVisibility() && !part.closest(".scroll")
    && part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((part) => part.outerHTML.slice(0, 90))"""


def test_on_a_phone_nothing_is_beyond_the_right_edge(browser: Browser, url: str) -> None:
    opened = OpenPage(browser, url, 400)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert opened.page.evaluate(WIDER) == []
    opened.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert opened.page.evaluate(WIDER) == []
    opened.page.close()


def test_the_first_screen_of_a_phone_says_what_broke(browser: Browser, url: str) -> None:
    opened = OpenPage(browser, url, 400)
    for part in (".badge", ".sentence", "a[href='#gates'] strong", "dl.first dd"):
        box = opened.page.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] <= 900, part
    opened.page.close()


@pytest.mark.long
def test_in_print_every_folded_part_is_open_and_charts_fit(browser: Browser, url: str) -> None:
    opened = OpenPage(browser, url, 1300)
    opened.page.emulate_media(media="print")
    opened.page.wait_for_function("document.querySelectorAll('.printed').length > 3")
    opened.page.set_viewport_size({"width": 718, "height": 900})

    assert opened.page.locator("details:not([open])").count() == 0
    assert opened.page.locator("canvas.printed").count() == opened.page.locator("figure.chart").count()
    assert opened.page.evaluate(WIDER.replace('!part.closest(".scroll")', "true")) == []
    opened.page.emulate_media(media="screen")
    opened.page.wait_for_function("document.querySelectorAll('.printed').length === 0")
    assert opened.page.locator("details:not([open])").count() > 0
    opened.page.close()


@pytest.mark.long
def test_the_page_can_be_made_a_pdf(browser: Browser, url: str) -> None:
    opened = OpenPage(browser, url)
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    opened.page.close()


def test_without_javascript_the_page_says_what_broke(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 400, "height": 900})
    page = context.new_page()
    page.goto(url)
    for part in (".badge", ".sentence", "table.gates", "#failures", "#chart-calls .in-words", "dl.first"):
        assert page.locator(part).first.is_visible(), part
    assert page.locator("#chart-calls .canvas").is_hidden()
    context.close()


def test_every_chart_and_table_has_a_name_for_screen_readers(opened: OpenPage) -> None:
    for chart in opened.page.locator("figure.chart .canvas").all():
        assert chart.get_attribute("role") == "img"
        assert len(chart.get_attribute("aria-label") or "") > 20
    assert opened.page.locator("table:not(:has(caption))").count() == 0
    assert opened.page.locator("th:not([scope])").count() == 0
    assert opened.page.locator("h1").count() == 1
    levels = opened.page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((part) => Number(part.tagName[1]))"
    )
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
