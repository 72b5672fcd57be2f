"""postmortem.md: complete, and what people wrote breaks nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from markdown_it import MarkdownIt

from reports.writers.postmortem.markdown import postmortem_markdown
from tests.support.exercise_records import MARKUP

PARTS = (
    *("Summary", "What happened, by time", "The truth, and what people believed", "How fast"),
    *("What held, and what did not", "Operations", "Questions and answers", "Worst moments", "Notes"),
    *("Open questions", "Actions", "Who took part", "How this was made"),
)


def test_it_has_all_parts_and_the_command_that_makes_it_again(exercise_report: dict[str, Any]) -> None:
    text = postmortem_markdown(exercise_report)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(PARTS)
    assert "\nbrownout report run\n" in text
    assert "| Mia | gamemaster |" in text


@pytest.mark.parametrize("text", [MARKUP, "a\n\n| b |\n```\n", "<img src=x onerror=y>", "\\|\\", "- [ ] x", "@all #12"])
def test_what_people_wrote_stays_one_cell_and_no_markup(exercise_report: dict[str, Any], text: str) -> None:
    data = copy.deepcopy(exercise_report)
    exercise = data["exercise"]
    for key in ("notes", "beliefs", "hints", "actions", "notices", "questions", "operations", "findings"):
        exercise[key] = [{**one, "text": text, "who": text[:40]} for one in exercise[key]]
    exercise |= {"title": text, "description": text, "ended_why": text, "problems": [text]}
    exercise["restored"] = {"verified": True, "text": text, "t_s": 1.0}
    exercise["people"] = [{"name": text, "roles": ["responder"]}]
    made = postmortem_markdown(data)
    plain = postmortem_markdown(exercise_report)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(made)
    before = MarkdownIt("commonmark", {"html": True}).enable("table").parse(plain)
    shape = ("table_open", "heading_open", "fence", "html_block", "tr_open")
    assert [one.type for one in tokens if one.type in shape][:60] == [one.type for one in before if one.type in shape][
        :60
    ]
    inline = [child for one in tokens if one.type == "inline" for child in one.children or ()]
    assert not [one for one in inline if one.type in ("link_open", "image", "strong_open")]
    raw = [one.content for one in (*tokens, *inline) if one.type in ("html_block", "html_inline")]
    assert not [one for one in raw if "script" in one or "img" in one]


def test_an_exercise_without_anything_is_said_in_words(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    for key, value in data["exercise"].items():
        if isinstance(value, list):
            data["exercise"][key] = []
    data["failovers"] = []
    text = postmortem_markdown(data)
    for words in ("No fault was played.", "Nobody said what it was.", "Nobody changed the target.", "Nobody asked"):
        assert words in text
    assert "No call was sent while a fault was active." in text
