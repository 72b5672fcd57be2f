"""Failures and lost sessions of the page: grouped, linked to their waterfall, escaped."""

from __future__ import annotations

from typing import Any

from reports.report.build import Report
from reports.writers.html.failures import failures_view, lost_view
from reports.writers.html.page_writer import page_text

EVIL = "</script><script>alert(1)</script>\"'\x1b[31m\u202e"


def failure(key: str, message: str = "HTTP 500: out of memory") -> dict[str, Any]:
    """A group of failures with one example."""
    return {
        "outcome": "error_event", "status": 500, "message": message, "pool": "tpu", "phase": "fault",
        "calls": 24, "sessions_lost": 3, "example": {"session": "s", "agent": "a", "turn": 0, "key": key},
    }  # fmt: skip


def lost(session: str, replica: str = "tpu-0") -> dict[str, Any]:
    """A session that started in the baseline and was lost in the fault."""
    return {
        "session": session, "phase": "baseline", "lost_phase": "fault", "started_s": 1.0, "ended_s": 20.0,
        "because": "error_event", "calls": 2, "replica": replica, "pool": "tpu", "reason": "stream ended early",
    }  # fmt: skip


def test_an_example_is_linked_to_its_waterfall_only_where_it_is_drawn(report: Report) -> None:
    data = {**report.data, "failures": [failure("gone/main#0"), failure("it's/main#0")]}
    drawn, other = failures_view(data)["rows"]

    assert drawn["link"] == "call-0"
    assert other["link"] == ""
    assert other["command"].endswith("""--call 'it'"'"'s/main#0'""")
    page = page_text(data)
    assert 'href="#call-0"' in page
    assert 'id="call-0"' in page
    assert "HTTP 500: out of memory" in page


def test_lost_sessions_of_one_kind_are_one_group_with_both_phases(report: Report) -> None:
    sessions = [lost(f"s{number}", f"tpu-{number % 2}") for number in range(24)]
    measures = {**report.data["measures"]}
    measures["sessions_lost"] = {**measures["sessions_lost"], "phases": {"baseline": {"value": 24}}}
    data = {**report.data, "sessions_lost": sessions, "measures": measures, "lost_in_phase": {"fault": 24}}
    view = lost_view(data)

    assert [group["sessions"] for group in view["groups"]] == ["24 sessions"]
    assert len(view["groups"][0]["rows"]) == 24
    assert view["phases"] == [("baseline", "24", "0"), ("fault", "0", "24")]


def test_words_of_a_server_and_ids_of_sessions_do_no_harm(report: Report) -> None:
    page = page_text(
        {
            **report.data,
            "failures": [failure(f"{EVIL}/main#0", EVIL)],
            "sessions_lost": [lost(EVIL)],
            "explanation": {"sentence": EVIL, "gates_failed": 1, "gates": 3},
        }
    )

    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "1 of 3 gates failed" in page


def test_a_report_without_failures_still_makes_a_page(report: Report) -> None:
    data = {name: part for name, part in report.data.items() if name not in ("failures", "explanation")}
    page = page_text(data)

    assert "No failed call is listed." in page
    assert "gates failed" in page
