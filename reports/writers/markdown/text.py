"""Text that is safe inside a Markdown table, and reads well where Markdown is not rendered."""

from __future__ import annotations

import re

from reports.shared.plain_text import printable

__all__ = ["escaped"]

_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def escaped(text: str) -> str:
    """`text` on one line, with `|` escaped, and `<` where it would begin an HTML tag.

    Elsewhere `<` stays as it is, as in `error_rate < 1%`: Markdown takes it for text.
    """
    return _TAG.sub(r"\\<", printable(text).replace("|", "\\|").replace("\n", " "))
