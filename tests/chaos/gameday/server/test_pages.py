"""The files of the pages."""

from __future__ import annotations

import pytest

from chaos.gameday.server.pages import Pages
from reports.shared.errors import UserError

SHELLS = dict.fromkeys(("index.html", "wall.html", "controls.html", "respond.html", "scribe.html"), b"<!doctype html>")


def test_pages_and_static_files_have_their_paths_and_types() -> None:
    pages = Pages({**SHELLS, "app.js": b"1", "look.css": b"2"})
    types = {path: pages.find(path) for path in ("/", "/wall", "/controls", "/respond", "/scribe")}
    assert {file.content_type for file in types.values() if file} == {"text/html; charset=utf-8"}
    script, style = pages.find("/static/app.js"), pages.find("/static/look.css")
    assert script is not None
    assert style is not None
    assert (script.content_type, style.content_type) == ("text/javascript; charset=utf-8", "text/css; charset=utf-8")
    assert script.tag != style.tag


@pytest.mark.parametrize(
    "path",
    ["/static/__init__.py", "/static/wall.html", "/wall.html", "/static/../app.js", "/static/", "/static", "", "/wall/",
     "/static/.env", "/static/A.js", "//wall"],
)  # fmt: skip
def test_only_what_is_listed_is_served(path: str) -> None:
    pages = Pages({**SHELLS, "app.js": b"", "__init__.py": b"", ".env": b"", "A.js": b"", "..js": b""})
    assert pages.find(path) is None


def test_a_missing_page_is_named_before_the_server_starts() -> None:
    with pytest.raises(UserError, match=r"lack wall\.html, controls\.html, .*install brownout again"):
        Pages({"index.html": b""})
