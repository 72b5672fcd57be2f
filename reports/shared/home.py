"""Paths as users write them: a leading `~` or `~name` is a home folder."""

from __future__ import annotations

from pathlib import Path

from reports.shared.errors import UserError

__all__ = ["expanded"]


def expanded(path: str | Path) -> Path:
    """The path with a home folder in place of `~`. Raises `UserError` where no home folder is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        first = Path(path).parts[0]
        raise UserError(f'{path}: no home folder is known for "{first}". Write the whole path') from None
