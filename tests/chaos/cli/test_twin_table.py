"""The differences from a twin, on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from chaos.cli.twin_table import twin_renderable

ROW = {"unit": "count", "phase": "fault", "here": 9, "there": 0, "difference": 9, "interval": None}
ROWS = [
    {**ROW, "measure": "sessions_lost", "beyond_sessions": True, "differs": True},
    {**ROW, "measure": "calls", "beyond_sessions": True, "differs": False},
    {**ROW, "measure": "shed", "beyond_sessions": False, "differs": False},
]


def shown(**changes: Any) -> str:
    console = Console(width=120, record=True)
    twin = {"problem": "", "note": "", "sessions": {"both": 60}, "doubts": [], "differences": ROWS}
    with console.capture() as capture:
        console.print(twin_renderable({**twin, **changes}))
    return capture.get()


def test_what_differs_by_more_than_chance_is_shown() -> None:
    text = shown()
    assert "sessions_lost" in text
    assert "calls" not in text


def test_without_a_spread_the_note_comes_before_the_differences_beyond_the_sessions() -> None:
    text = shown(note="one pair cannot tell")
    assert text.index("one pair cannot tell") < text.index("sessions_lost") < text.index("calls")
    assert "shed" not in text


def test_no_difference_is_said_with_and_without_a_spread() -> None:
    assert "no measure differs by more than chance" in shown(differences=[])
    text = shown(differences=[], note="one pair cannot tell")
    assert "no difference to show" in text
    assert "by more than chance" not in text


def test_a_twin_that_cannot_be_read_is_said() -> None:
    assert shown(problem="gone").strip() == "gone"
