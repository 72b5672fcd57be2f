"""A Markdown text as a page of its own: one file that loads nothing, dark or light, also on paper."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

__all__ = ["markdown_page"]

_STYLES: Final = Path(__file__).parents[1] / "page"
_TASKS: Final = {"[ ] ": "", "[x] ": " checked"}


def markdown_page(markdown: str, title: str) -> str:
    """The page. HTML in the text is shown, not obeyed. `- [ ] ` begins a line with a box to tick."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = made.parse(markdown)
    for token in tokens:
        if token.type == "inline" and token.children:
            _with_boxes(token.children)
    assert isinstance(made.renderer, RendererHTML)
    body = made.renderer.render(tokens, made.options, {})
    style = (_STYLES / "report.css").read_text(encoding="utf-8") + (_STYLES / "text.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n<main class="text">\n'
        f"{body}</main>\n</body>\n</html>\n"
    )


def _with_boxes(children: list[Token]) -> None:
    """Put a box in place of `[ ] ` or `[x] ` at the begin of a line."""
    first = children[0]
    for mark, checked in _TASKS.items():
        if first.type == "text" and first.content.startswith(mark):
            first.content = first.content.removeprefix(mark)
            label = html.escape("".join(child.content for child in children))
            box = Token("html_inline", "", 0)
            box.content = f'<input type="checkbox"{checked} aria-label="{label}"> '
            children.insert(0, box)
            return
