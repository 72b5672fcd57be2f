"""Text that is safe inside a Markdown table."""

from __future__ import annotations

__all__ = ["escaped"]


def escaped(text: str) -> str:
    """`text` on one line, with `|` and `<` escaped."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
