"""The axis: one drawing of bounded size, that is XML, has words, and escapes what people wrote."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from reports.writers.postmortem.axis import KEYS, axis_svg, key_svg
from reports.writers.postmortem.entries import Entry, entries_of


def note(t_s: float, text: str = "x", kind: str = "note") -> Entry:
    return Entry(t_s, "people", kind, "Bo", text)


def test_the_drawing_is_xml_with_a_title_and_a_description(exercise_report: dict[str, Any]) -> None:
    root = ET.fromstring(axis_svg(entries_of(exercise_report), 90.0))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    texts = [one.text for one in root.iter("text")]
    assert {"faults", "system", "people", "0:10", "1:30"} <= set(texts)
    assert "Ada: right belief" in texts


def test_ten_thousand_notes_are_a_bounded_number_of_marks() -> None:
    drawn = axis_svg([note(index * 0.09) for index in range(10_000)], 900.0)
    assert 50 < drawn.count('class="m-note"') < 150
    assert "more" in drawn
    assert len(drawn) < 200_000


def test_what_people_wrote_is_text() -> None:
    drawn = axis_svg([note(1.0, "</svg><script>alert(1)</script>\x00&", "hint")], 10.0)
    ET.fromstring(drawn)
    assert "<script" not in drawn


@pytest.mark.parametrize("duration_s", [0.0, 1.0, 90.0, 86_400.0, 7 * 86_400.0])
def test_an_axis_of_any_length_has_few_ticks_in_its_range(duration_s: float) -> None:
    root = ET.fromstring(axis_svg([note(0.0), note(duration_s)], duration_s))
    ticks = [one for one in root.iter("text") if one.get("class") == "pm-tick"]
    assert 1 <= len(ticks) <= 12
    assert all(0 <= float(one.get("x", "-1")) <= 1000 for one in ticks)


def test_a_fault_that_never_ended_reaches_the_end_and_many_share_rows() -> None:
    faults = [Entry(float(index), "faults", "fault", "", f"h{index}", math.inf) for index in range(50)]
    root = ET.fromstring(axis_svg(faults, 100.0))
    bars = [one for one in root.iter("rect") if one.get("class") == "pm-fault"]
    assert len(bars) == 50
    assert len({bar.get("y") for bar in bars}) == 12
    assert all(float(bar.get("x", "0")) + float(bar.get("width", "0")) <= 985 for bar in bars)


def test_times_far_outside_do_not_squeeze_the_axis() -> None:
    root = ET.fromstring(axis_svg([note(-9_000.0), note(50.0, kind="hint"), note(9e6)], 100.0))
    (hint,) = (one for one in root.iter("polygon") if one.get("class") == "m-hint")
    assert 300 < float(hint.get("points", "0").split(",")[0]) < 700


@pytest.mark.parametrize("kind", KEYS)
def test_each_kind_has_a_mark_of_its_own(kind: str) -> None:
    ET.fromstring(key_svg(kind))
