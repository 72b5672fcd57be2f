"""A single pair of runs: judged from its records, and only by a spread that applies to both."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from reports.analysis import analyse
from reports.comparison.side_by_side import compare, read_report
from reports.comparison.sides import ComparedRun
from reports.comparison.single_pair import judge_pair
from reports.writers.json_report import write_json
from tests.support.record_builder import RecordBuilder
from tests.support.stored_spread import MACHINE, spread_for


def recorded(folder: Path, *, later_s: float = 0.0, lost: int = 0, late_share: float = 0.0) -> ComparedRun:
    """Sixty sessions of the fault phase, each call `later_s` later than its own time.

    `late_share`: of the sessions, by the counters of the load generator.
    """
    builder = RecordBuilder(folder)
    builder.experiment["gates"] = ["e2e.p99 <= 9 s", "sessions_lost == 0"]
    builder.phases()
    builder.event("machine", -3.0, **MACHINE)
    for index in range(60):
        sent = 20.5 + index * 0.1
        builder.call(f"s{index}", 0, sent, ttft=0.1 + 0.02 * index + later_s)
        builder.session(f"s{index}", sent, sent + 3.0, "lost" if index < lost else "succeeded")
    if late_share:
        builder.load_gauges(arrivals=100, late=round(100 * late_share))
    folder = builder.write()
    write_json(analyse(folder, write=False), folder)
    return read_report(folder)


def differing(judged: Any) -> set[tuple[str, str | None]]:
    return {(row["measure"], row["phase"]) for row in judged["rows"] if row["differs"]}


def test_without_a_spread_there_is_only_a_note(tmp_path: Path) -> None:
    here, there = recorded(tmp_path / "a", later_s=0.5, lost=20), recorded(tmp_path / "b")
    judged = judge_pair(here, there, [])
    assert judged == {
        "note": "one pair cannot tell a difference from chance: play at least 5 seeds on both sides and compare all "
        "runs, or give --spread FILE"
    }


def test_a_difference_beyond_the_spread_and_beyond_the_sessions_differs(tmp_path: Path) -> None:
    here, there = recorded(tmp_path / "a", later_s=0.5, lost=20), recorded(tmp_path / "b")
    judged = judge_pair(here, there, [spread_for(there[1])])
    assert {("ttft.p50", "fault"), ("sessions_lost", "fault"), ("sessions_lost", None)} <= differing(judged)
    assert ("calls", "fault") not in differing(judged)
    assert "e2e.p99" in {row["measure"] for row in judged["rows"]}
    assert judged["spread"] == {"pairs": 10, "machine": "2 cores, 8 GB", "commit": "abc1234"}
    turned = judge_pair(there, here, [spread_for(there[1])])
    assert differing(turned) == differing(judged)
    assert [row["p"] for row in turned["rows"]] == [row["p"] for row in judged["rows"]]


def test_a_machine_that_changed_what_happened_lets_nothing_differ(tmp_path: Path) -> None:
    there = recorded(tmp_path / "b")
    for name, share, counts in (("busy", 0.05, True), ("very-busy", 0.31, False)):
        here = recorded(tmp_path / name, later_s=0.5, lost=20, late_share=share)
        judged = judge_pair(here, there, [spread_for(there[1])])
        assert (("sessions_lost", "fault") in differing(judged)) is counts
        assert not {measure for measure, _ in differing(judged) if measure.startswith("ttft")}
        assert judged["doubt"].startswith("latencies are not compared" if counts else "nothing is compared")


def test_a_difference_inside_the_spread_does_not_differ(tmp_path: Path) -> None:
    """Every session is later, but two equal runs may be as far apart."""
    here, there = recorded(tmp_path / "a", later_s=0.05, lost=1), recorded(tmp_path / "b")
    assert differing(judge_pair(here, there, [spread_for(there[1], sd=0.1)])) == set()


def test_a_record_that_is_gone_gives_a_note(tmp_path: Path) -> None:
    here, there = recorded(tmp_path / "a", later_s=0.5), recorded(tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert "which cannot be read" in judge_pair(here, there, [spread_for(there[1])])["note"]


def test_a_record_that_was_reduced_to_its_reports_gives_a_note(tmp_path: Path) -> None:
    here, there = recorded(tmp_path / "a", later_s=0.5), recorded(tmp_path / "b")
    shutil.rmtree(tmp_path / "a" / "spans")
    judged = judge_pair(here, there, [spread_for(there[1])])
    assert "has no calls" in judged["note"]
    assert "rows" not in judged


def test_a_comparison_of_two_runs_uses_the_spread(tmp_path: Path) -> None:
    here, there = recorded(tmp_path / "a", later_s=0.5), recorded(tmp_path / "b")
    (contrast,) = compare([there, here], [spread_for(there[1])])["differences"]
    assert (contrast["here"], contrast["there"], contrast["pairs"], contrast["note"]) == ("a", "b", 1, "")
    assert ("ttft.p50", "fault") in differing(contrast)
    (contrast,) = compare([there, here])["differences"]
    assert contrast["note"].startswith("one pair cannot tell")
    assert not differing(contrast)
    assert partial(judge_pair, spreads=[])(here, there)["note"] == contrast["note"]
