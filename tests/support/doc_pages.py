"""The documentation as tests read it: pages, their command lines, links, anchors, YAML blocks and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.paths import ROOT

__all__ = ["PAGES", "Command", "anchors", "commands", "links", "table_cells", "yaml_blocks"]

PAGES: Final = tuple(
    sorted(
        [
            *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
            *(ROOT / "docs").rglob("*.md"),
        ]
    )
)

COMMANDS: Final = ("brownout ", "make ", "locust ", "python -m ", ".venv/bin/", ". .venv/", "uv ", "pipx ")
"""What a command line of the documentation begins with."""

_FENCE: Final = re.compile(r"^(```+)(\w*)")
_HEADING: Final = re.compile(r"^#{1,6} (.+)$")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Command:
    """A command line of a page. `text`: as written, without its indentation and its comment."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {self.text}"


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    fence: str | None
    """The language of the fenced block that it is in; None outside of one."""


def _lines(page: Path) -> Iterator[_Line]:
    fence: str | None = None
    closing = ""
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        found = _FENCE.match(text)
        if fence is None and found:
            closing, fence = found[1], found[2]
        elif fence is not None and text.strip() == closing:
            fence = None
        else:
            yield _Line(number, text, fence)


def commands(page: Path) -> list[Command]:
    """Each line of a fenced or indented block that begins with one of `COMMANDS`."""
    found = []
    for line in _lines(page):
        text = line.text.strip()
        block = line.fence is not None or line.text.startswith("    ")
        if block and text.startswith(COMMANDS):
            found.append(Command(page, line.number, re.split(r"\s+# ", text)[0].strip()))
    return found


def links(page: Path) -> list[tuple[int, str]]:
    """Line and target of each relative link."""
    return [
        (line.number, target)
        for line in _lines(page)
        if line.fence is None
        for target in _LINK.findall(line.text)
        if "://" not in target
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for line in _lines(page):
        heading = _HEADING.match(line.text)
        if line.fence is None and heading:
            text = _INLINE_LINK.sub(r"\1", heading[1]).replace("`", "").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def yaml_blocks(page: Path) -> list[tuple[int, str]]:
    """Line and text of each fenced YAML block."""
    blocks: list[tuple[int, str]] = []
    before = 0
    for line in _lines(page):
        if line.fence == "yaml":
            if line.number != before + 1 or not blocks:
                blocks.append((line.number, ""))
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + line.text + "\n")
            before = line.number
    return blocks


def table_cells(page: Path) -> list[tuple[int, str]]:
    """Line and text of each cell of a table."""
    return [
        (line.number, cell.strip())
        for line in _lines(page)
        if line.fence is None and line.text.startswith("|")
        for cell in re.split(r"(?<!\\)\|", line.text.strip().strip("|"))
    ]
