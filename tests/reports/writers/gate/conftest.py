"""Markdown as GitHub renders it, near enough for tests: tables, struck-out text and HTML."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

VOID = ("br", "hr", "img")


class Rendered(HTMLParser):
    """The elements of a summary's HTML, and its text. `unbalanced`: end tags that close no element that is open."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.outside_code = ""
        self.text = ""
        self.columns: list[int] = []
        self.html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.columns.append(0)
        elif tag in ("td", "th"):
            self.columns[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in VOID:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" not in self.open:
            self.outside_code += data


@pytest.fixture(scope="session")
def rendered() -> Callable[[str], Rendered]:
    """Renders Markdown."""
    return Rendered
