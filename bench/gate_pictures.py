"""The pictures of gates in docs/img, from real runs. Resumable: what was played before is not played again.

    python -m bench.gate_pictures                                # plays what is missing (4 minutes), makes all pictures
    python -m bench.gate_pictures --failed DIR --history DIR     # from a gate that failed, and from a folder of runs
    python -m bench.gate_pictures --only plugin --again
    python -m bench.gate_pictures --out /tmp/pictures

    gate-summary.png    the summary of a gate that failed, as it looks in a pull request
    gate-honesty.png    the tables that `bench.gate_honesty --write` put into docs/honesty.md
    gate-plugin.png     the output of pytest where a test with the fixture `brownout` fails
    gate-history.png    the page of `brownout history`

Played where it is not given: `brownout gate lose-tpu-pool --stack naive`, and a test with the same experiment. The
history is of `runs/gate_honesty`, the runs of `bench.gate_honesty`, unless another folder is given. A picture whose
source is missing is skipped, with the reason; then the exit code is 1. Needs Chromium and the development requirements.
"""

from __future__ import annotations

import argparse
import html
import io
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from bench.gate_honesty import BEGIN, END
from bench.gate_honesty import PAGE as HONESTY
from bench.tied import tied
from brownout import InvalidResult, Result
from brownout.children import python_words
from brownout.search_path import own_environment

__all__ = [
    "PICTURES",
    "Skipped",
    "cut_at",
    "failed_summary",
    "honesty_markdown",
    "main",
    "markdown_page",
    "shown",
    "terminal_page",
]

IMAGES: Final = Path(__file__).parents[1] / "docs" / "img"
COMMAND: Final = "brownout gate lose-tpu-pool --stack naive --out brownout-gate"
PYTEST: Final = "pytest --tb=short --show-capture=no --brownout-out=brownout-out test_resilience.py"
TEST: Final = '''"""A resilience gate as a test."""


def test_a_lost_pool_costs_no_session(brownout):
    brownout.run("lose-tpu-pool", stack="naive").assert_passed()
'''
PLUGIN_TEXT: Final = "pytest-output.txt"
PLAYED: Final = {"summary": "brownout-gate", "plugin": PLUGIN_TEXT}
"""What is kept of what was played, below the folder of the runs."""
COLUMNS: Final = 118
"""Characters of a line of the terminal."""
WIDTH: Final = 1000
"""Of a picture, in CSS pixels; twice as many pixels."""
MOST_HEIGHT: Final = 1600
"""Of a picture of a page."""
MOST_HEIGHT_OF_TEXT: Final = 3600
MARGIN: Final = 16
"""Below the last chart or table."""
TIMEOUT_S: Final = 1200
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)

_STYLE: Final = """
body { margin: 0; background: #fff; color: #1f2328; }
.markdown { padding: 24px 32px; font: 16px/1.5 "Noto Sans", "DejaVu Sans", Helvetica, Arial, sans-serif; }
.comment { margin: 20px; border: 1px solid #d1d9e0; border-radius: 6px; }
.comment > header { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0;
  border-radius: 6px 6px 0 0; font: 14px "Noto Sans", "DejaVu Sans", Helvetica, Arial, sans-serif; color: #59636e; }
.comment .markdown { padding: 4px 16px 12px; font-size: 14px; }
.markdown h1, .markdown h2 { padding-bottom: .3em; border-bottom: 1px solid #d1d9e0; }
.markdown h2 { font-size: 1.5em; } .markdown h3 { font-size: 1.25em; }
.markdown table { display: block; width: max-content; max-width: 100%; overflow: hidden; border-collapse: collapse;
  margin: 0 0 16px; }
.markdown th, .markdown td { padding: 6px 13px; border: 1px solid #d1d9e0; }
.markdown th { font-weight: 600; } .markdown tr:nth-child(2n) { background: #f6f8fa; }
.markdown code { padding: .2em .4em; font: 85% "DejaVu Sans Mono", monospace; background: #818b981f;
  border-radius: 6px; }
.markdown pre { padding: 16px; background: #f6f8fa; border-radius: 6px; white-space: pre-wrap; }
.markdown pre code { padding: 0; background: none; }
.markdown hr { height: 4px; border: 0; background: #d1d9e0; }
.markdown blockquote { margin: 0; padding: 0 1em; color: #59636e; border-left: .25em solid #d1d9e0; }
.terminal { margin: 0; padding: 20px 24px; background: #16191d; color: #d8dee6;
  font: 13px/1.45 "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


_BOTTOMS: Final = """[document.body, ...document.querySelectorAll("figure.chart, table")]
  .map((one) => one.getBoundingClientRect().bottom)"""
"""The lower end of the page, then of each chart and table, CSS pixels."""

_COLOURS: Final = TerminalTheme(
    (22, 25, 29),
    (216, 222, 230),
    [
        *((110, 118, 129), (255, 123, 114), (126, 231, 135), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (118, 227, 234), (216, 222, 230)),
    ],
)
"""Background, text, and the eight colours of a terminal, all readable on that background."""


class Skipped(Exception):
    """A picture cannot be made. The message says why, and what to do."""


def markdown_page(markdown: str, heading: str = "") -> str:
    """A page with Markdown as GitHub renders it, near enough; with a `heading`, as a comment below it."""
    body = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
    body = f'<div class="markdown">{body}</div>'
    if heading:
        body = f'<div class="comment"><header>{html.escape(heading)}</header>{body}</div>'
    return _page(body)


def terminal_page(text: str) -> str:
    """A page with the output of a command, with its colours, as a terminal shows it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text), soft_wrap=True)
    made = console.export_html(theme=_COLOURS, inline_styles=True, code_format="{code}")
    return _page(f'<div class="terminal">{made}</div>')


def _page(body: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{_STYLE}</style><body>{body}</body></html>'


def shown(text: str, folder: Path) -> str:
    """The output of a command that ran in `folder`: paths below it are relative, as a reader would have them."""
    for place in dict.fromkeys((str(folder.resolve()), str(folder.absolute()))):
        text = text.replace(f"{place}/", "")
    return text


def cut_at(page: int, parts: Sequence[int], most: int) -> int:
    """How high a picture is: the whole page, or down to the last chart or table that fits whole. In CSS pixels."""
    if page <= most:
        return page
    fitting = [bottom for bottom in parts if bottom + MARGIN <= most]
    return max(fitting) + MARGIN if fitting else most


def honesty_markdown(page: str) -> str:
    """The tables of `bench.gate_honesty` in docs/honesty.md. Raises Skipped where it has none."""
    text = page.partition(BEGIN)[2].partition(END)[0].strip()
    if not re.search(r"^\|", text, re.MULTILINE):
        raise Skipped("docs/honesty.md has no tables of gates. Make them with: python -m bench.gate_honesty --write")
    return f"## Gates against a base\n\n{text}"


def failed_summary(folder: Path) -> str:
    """The summary of a gate that failed. Raises Skipped where it did not, or where the folder has no result."""
    try:
        result = Result.read(folder)
        text = (folder / "summary.md").read_text(encoding="utf-8")
    except (InvalidResult, OSError) as error:
        raise Skipped(str(error)) from None
    if result.verdict != "fail":
        raise Skipped(f"{folder}: its verdict is {result.verdict}; the picture is of a gate that failed. Use --again")
    return text


class Browser:
    """Chromium. Raises Skipped where it is not installed."""

    def __init__(self) -> None:
        self._path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)

    def picture(self, page: str | Path, to: Path) -> Path:
        """A picture of a page, given as its HTML or as a file. Returns its path."""
        if self._path is None:
            raise Skipped("Chromium is not installed")
        from playwright.sync_api import sync_playwright

        to.parent.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            most = MOST_HEIGHT if isinstance(page, Path) else MOST_HEIGHT_OF_TEXT
            browser = playwright.chromium.launch(executable_path=self._path, args=list(ARGUMENTS))
            tab = browser.new_page(
                viewport={"width": WIDTH, "height": most}, device_scale_factor=2, color_scheme="light"
            )
            if isinstance(page, Path):
                tab.goto(page.absolute().as_uri())
                for place in tab.locator("figure.chart").all():
                    place.scroll_into_view_if_needed()
                    place.locator("canvas").first.wait_for(state="attached", timeout=10_000)
                tab.evaluate("window.scrollTo(0, 0)")
            else:
                tab.set_content(page)
            bottoms = [math.ceil(bottom) for bottom in tab.evaluate(_BOTTOMS)]
            height = cut_at(bottoms[0], bottoms[1:], most)
            tab.screenshot(path=str(to), clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
            browser.close()
        return to


def picture_of_summary(options: argparse.Namespace, browser: Browser) -> Path:
    """gate-summary.png."""
    folder: Path = options.failed or options.runs / "brownout-gate"
    if options.failed is None and not (folder / "gate.json").exists():
        _play(python_words("-m", "chaos.cli.app", *COMMAND.split()[1:]), options.runs)
    page = markdown_page(failed_summary(folder), "The workflow commented on this pull request")
    return browser.picture(page, options.out / "gate-summary.png")


def picture_of_honesty(options: argparse.Namespace, browser: Browser) -> Path:
    """gate-honesty.png."""
    return browser.picture(markdown_page(honesty_markdown(HONESTY.read_text())), options.out / "gate-honesty.png")


def picture_of_plugin(options: argparse.Namespace, browser: Browser) -> Path:
    """gate-plugin.png."""
    stored = options.runs / PLUGIN_TEXT
    if not stored.exists():
        options.runs.mkdir(parents=True, exist_ok=True)
        (options.runs / "pytest.ini").write_text("[pytest]\n")  # not the settings of this checkout
        (options.runs / "test_resilience.py").write_text(TEST)
        words = PYTEST.split()[1:]
        output = _play(python_words("-m", "pytest", "--color=yes", "--no-header", *words), options.runs)
        stored.write_text(shown(f"$ {PYTEST}\n{output}", options.runs))
    text = stored.read_text()
    if "1 failed" not in text or "brownout: fail" not in text:
        raise Skipped(f"{stored}: the gate of the test did not fail. Use --again on a quiet machine")
    return browser.picture(terminal_page(text), options.out / "gate-plugin.png")


def picture_of_history(options: argparse.Namespace, browser: Browser) -> Path:
    """gate-history.png."""
    folder: Path = options.history or Path("runs/gate_honesty")
    if not any(folder.rglob("report.json")):
        raise Skipped(f"{folder}: no runs. Play them with python -m bench.gate_honesty, or give --history DIR")
    out = options.runs / "history"
    words = python_words("-m", "chaos.cli.app", "history", folder.name, "--out", str(out.absolute()))
    output = _play(words, folder.absolute().parent)  # so that the page has short paths
    page = out / "history.html"
    if not page.exists():
        raise Skipped(f"brownout history wrote no page: {output[-300:]}")
    return browser.picture(page, options.out / "gate-history.png")


PICTURES: Final[dict[str, Callable[[argparse.Namespace, Browser], Path]]] = {
    "summary": picture_of_summary,
    "plugin": picture_of_plugin,
    "honesty": picture_of_honesty,
    "history": picture_of_history,
}
"""By the name for `--only`."""


def _play(command: Sequence[str], folder: Path) -> str:
    """Run a command in this folder to its end; it ends with this process. Returns its output."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        tied(command, signal.SIGINT),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**own_environment(os.environ), "COLUMNS": str(COLUMNS)},
    )
    try:
        return process.communicate(timeout=TIMEOUT_S)[0]
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise


def main(argv: Sequence[str]) -> int:
    """Make the pictures. Returns 1 if one was skipped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failed", type=Path, metavar="DIR", help="the folder of a gate that failed")
    parser.add_argument("--history", type=Path, metavar="DIR", help="a folder of runs (runs/gate_honesty)")
    parser.add_argument("--only", choices=PICTURES, action="append", help="one picture; repeat it for several")
    parser.add_argument("--runs", type=Path, default=Path("runs/gate_pictures"), help="for what is played")
    parser.add_argument("--out", type=Path, default=IMAGES, help="for the pictures")
    parser.add_argument("--again", action="store_true", help="play again what was played before")
    options = parser.parse_args(argv)
    chosen = options.only or list(PICTURES)
    if options.again:
        _remove([options.runs / PLAYED[name] for name in chosen if name in PLAYED])
    skipped = 0
    for name in chosen:
        try:
            path = PICTURES[name](options, Browser())
        except Skipped as why:
            skipped += 1
            print(f"{name}: skipped: {why}", flush=True)
        else:
            print(f"{name}: {path} ({path.stat().st_size / 1000:.0f} KB)", flush=True)
    return int(bool(skipped))


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
