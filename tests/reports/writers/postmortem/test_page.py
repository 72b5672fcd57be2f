"""postmortem.html: one file without scripts and style attributes, and what people wrote is text."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

from reports.writers.postmortem.page import content_policy, postmortem_page
from tests.support.exercise_records import MARKUP


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_loads_and_runs_nothing(exercise_report: dict[str, Any]) -> None:
    elements = Elements(postmortem_page(exercise_report)).found
    assert not [tag for tag, _ in elements if tag in ("script", "img", "iframe", "object", "form")]
    names = {name for _, attributes in elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style")]
    links = {attributes["href"] for tag, attributes in elements if tag in ("a", "link")}
    assert links == {"data:,", "report.html", "report.html#failovers"}


def test_its_policy_allows_its_own_style_sheet_and_nothing_else(exercise_report: dict[str, Any]) -> None:
    page = postmortem_page(exercise_report)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in content_policy()
    assert content_policy().startswith("default-src 'none'")
    policies = [one["content"] for tag, one in Elements(page).found if tag == "meta" and "http-equiv" in one]
    assert policies == [content_policy()]


def test_what_people_wrote_is_shown_as_it_is(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    data["exercise"] |= {"title": "</title><script>x</script>", "description": "\x00\u202e<b>"}
    data["exercise"]["people"] = [{"name": '"><script>y</script>', "roles": ["audience"]}]
    page = postmortem_page(data)
    elements = Elements(page)
    assert MARKUP in elements.text
    assert '"><script>y</script>' in elements.text
    assert not [tag for tag, _ in elements.found if tag in ("script", "b")]
    assert "\u202e" not in page
    assert "\x00" not in page


def test_each_table_and_drawing_has_a_name_for_screen_readers(exercise_report: dict[str, Any]) -> None:
    elements = Elements(postmortem_page(exercise_report)).found
    tables, captions = (sum(tag == name for tag, _ in elements) for name in ("table", "caption"))
    assert tables == captions > 8
    drawings = [attributes for tag, attributes in elements if tag == "svg"]
    assert all("aria-labelledby" in one or one.get("aria-hidden") == "true" for one in drawings)
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_worst_calls_are_drawn_with_their_spans(exercise_report: dict[str, Any]) -> None:
    page = postmortem_page(exercise_report)
    assert "interrupted on tpu-0" in page
    assert 'class="b-replica"' in page
