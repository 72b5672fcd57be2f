"""The files of the pages: what a strict security policy needs, and what keeps them readable."""

from __future__ import annotations

import re

import pytest

import chaos.gameday.pages as pages
from chaos.gameday.pages import read_pages

FILES = {name: content.decode() for name, content in read_pages().items()}
HTML = sorted(name for name in FILES if name.endswith(".html"))
SCRIPTS = sorted(name for name in FILES if name.endswith(".js"))
STYLES = sorted(name for name in FILES if name.endswith(".css"))
UNSAFE = re.compile(
    r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|localStorage"
)


def test_all_pages_are_there() -> None:
    assert HTML == ["controls.html", "index.html", "respond.html", "scribe.html", "wall.html"]


@pytest.mark.parametrize("name", HTML)
def test_html_has_no_inline_style_and_no_inline_script(name: str) -> None:
    text = FILES[name]
    assert "<style" not in text
    assert not re.search(r"\s(style|on[a-z]+)=", text)
    assert all(re.fullmatch(r"", inside) for inside in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL))


@pytest.mark.parametrize("name", HTML)
def test_what_a_page_loads_is_shipped_with_it(name: str) -> None:
    loaded = re.findall(r'(?:src|href)="static/([^"]+)"', FILES[name])
    assert loaded
    assert set(loaded) <= set(FILES)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_module_is_small_and_says_what_it_is(name: str) -> None:
    assert FILES[name].startswith("/**")
    assert len(FILES[name].splitlines()) <= 300


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_module_makes_html_of_text_or_keeps_data_in_the_browser(name: str) -> None:
    assert not UNSAFE.search(FILES[name])


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_import_only_each_other(name: str) -> None:
    imported = re.findall(r'from "([^"]+)"', FILES[name])
    assert {one.removeprefix("./") for one in imported} <= set(SCRIPTS)


def test_nothing_is_loaded_from_another_place() -> None:
    for name, text in FILES.items():
        found = set(re.findall(r"https?://[^\s\"'`]+", text))
        assert found <= {"http://www.w3.org/2000/svg"}, name


def test_the_package_names_each_of_its_files() -> None:
    assert pages.__doc__ is not None
    assert [name for name in FILES if name not in pages.__doc__] == []


def test_colours_are_names_of_one_palette() -> None:
    for name in STYLES:
        rules = FILES[name] if name != "base.css" else FILES[name].partition("* { box-sizing")[2]
        assert re.findall(r"#[0-9a-f]{3,8}\b(?![^{]*\{)", rules) == [], name
