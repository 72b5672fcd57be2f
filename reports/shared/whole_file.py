"""Writes a file as a whole: it is there with all of its content, or as it was before."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` to a new file beside `path`, then put it in its place. Returns the path.

    Raises OSError if that fails, on a full disk for example; nothing is left of the new file then.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    return path
