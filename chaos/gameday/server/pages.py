"""The files of the pages, in memory: HTML shells, style and scripts. The same bytes for everybody, without data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos.gameday.pages import read_pages
from reports.shared.errors import UserError

__all__ = ["Pages", "StaticFile"]

_SHELLS: Final = {
    "/": "index.html",
    "/wall": "wall.html",
    "/controls": "controls.html",
    "/respond": "respond.html",
    "/scribe": "scribe.html",
}
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file. `tag`: its ETag."""

    content: bytes
    content_type: str
    tag: str


class Pages:
    """Files by the path at which they are served. Any other path does not exist: no path leads into the file system."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        missing = [name for name in _SHELLS.values() if name not in files]
        if missing:
            raise UserError(f"the pages of game days lack {', '.join(missing)}; install brownout again")
        self._by_path = {path: _static(name, files[name]) for path, name in _SHELLS.items()}
        for name, content in files.items():
            if Path(name).suffix in _TYPES and not name.endswith(".html") and _NAME.fullmatch(name):
                self._by_path[f"/static/{name}"] = _static(name, content)

    @classmethod
    def shipped(cls) -> Pages:
        """Those of the package `chaos.gameday.pages`. Raises UserError if the installation is incomplete."""
        try:
            return cls(read_pages())
        except OSError:
            return cls({})

    def find(self, path: str) -> StaticFile | None:
        """The file at a path."""
        return self._by_path.get(path)


def _static(name: str, content: bytes) -> StaticFile:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return StaticFile(content, _TYPES[Path(name).suffix], tag)
