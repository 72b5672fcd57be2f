"""A run compared with its twin: differences paired by session; runs without a twin or with an unreadable one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reports.analysis import analyse
from reports.comparison.paired import Difference, differences, twin_section
from reports.gates.grammar import parse_gate
from reports.history.statistics import paired
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of

SESSIONS = 60


def slow(folder: Path, *, later_s: float = 0.0, lost: int = 0, extra: int = 0) -> RecordBuilder:
    """Sessions of the fault phase with very different TTFTs; `later_s` is added to the TTFT of each call."""
    builder = RecordBuilder(folder)
    builder.phases()
    for index in range(SESSIONS + extra):
        sent = 20.5 + index * 0.1
        session = f"s{index}"
        builder.call(session, 0, sent, ttft=0.1 + 0.02 * index + later_s)
        builder.session(session, sent, sent + 3.0, "lost" if index < lost else "succeeded")
    return builder


def rows(here: RecordBuilder, there: RecordBuilder, *gates: str) -> dict[tuple[str, str | None], Difference]:
    """The differences of two records by (measure, phase)."""
    found = differences(evidence_of(here), evidence_of(there), [parse_gate(gate) for gate in gates])
    return {(row.measure, row.phase): row for row in found}


def test_differences_between_sessions_cancel_out(tmp_path: Path) -> None:
    """The TTFTs spread over 1.2 s, but every session is exactly 0.25 s later: the interval has no width."""
    found = rows(slow(tmp_path / "a", later_s=0.25), slow(tmp_path / "b"))["ttft.p50", "fault"]
    assert found.difference == pytest.approx(0.25)
    assert found.interval == pytest.approx((0.25, 0.25))
    assert found.differs


def test_two_equal_runs_do_not_differ(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a"), slow(tmp_path / "b"))
    assert found
    assert not [row for row in found.values() if row.differs or row.difference != 0]


def test_a_count_differs_without_an_interval(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a", lost=4), slow(tmp_path / "b", lost=1))["sessions_lost", None]
    assert (found.here, found.there, found.difference, found.interval, found.differs) == (4, 1, 3, None, True)


def test_sessions_of_one_run_only_count_in_that_run(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a", extra=5), slow(tmp_path / "b"))["calls", "fault"]
    assert (found.here, found.there, found.difference) == (65, 60, 5)


def test_measures_of_the_gates_are_compared_too(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a"), slow(tmp_path / "b"), "e2e.p99 <= 9 s", "failover.max <= 5 s")
    assert ("e2e.p99", "fault") in found
    assert not [name for name, _ in found if name.startswith("failover")]


def test_sessions_with_the_same_id_are_resampled_together() -> None:
    here, there = paired(["a", "b", "c"], ["c", "x", "a"], 7)
    assert np.array_equal(here.weights[:, 0], there.weights[:, 2])
    assert np.array_equal(here.weights[:, 2], there.weights[:, 0])
    assert not np.array_equal(here.weights[:, 1], there.weights[:, 1])
    assert (here.sessions, there.sessions) == (3, 3)


def test_a_report_contains_its_twin_or_why_it_cannot_be_read(tmp_path: Path) -> None:
    here, there = slow(tmp_path / "run", later_s=0.25, extra=1), slow(tmp_path / "twin")
    there.write()
    folder = here.write()
    assert analyse(folder, write=False).data["twin"] is None
    calls = {"fault": {"offered": 60, "good": 60, "share": 1.0}}
    (folder / "twin.json").write_text(json.dumps({"path": "../twin", "seed": 7, "verdict": "pass", "calls": calls}))
    section = analyse(folder, write=False).data["twin"]
    assert section["problem"] == ""
    assert section["calls"] == calls
    assert section["sessions"] == {"both": 60, "here": 1, "there": 0}
    (median,) = [row for row in section["differences"] if (row["measure"], row["phase"]) == ("ttft.p50", "fault")]
    assert median["differs"]
    (folder / "twin.json").write_text(json.dumps({"path": "../gone", "seed": 7, "verdict": "pass", "calls": calls}))
    assert "does not exist any more" in analyse(folder, write=False).data["twin"]["problem"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"path": "../twin"}', '{"path": 1, "calls": 2}'])
def test_an_unreadable_twin_is_a_problem_and_no_crash(tmp_path: Path, text: str) -> None:
    builder = slow(tmp_path / "run")
    evidence = evidence_of(builder)
    (builder.path / "twin.json").write_text(text)
    section = twin_section(evidence, [])
    assert section is not None
    assert section["problem"].startswith("the twin cannot be read")


def test_a_price_differs_only_beyond_the_variation_between_sessions(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a"), slow(tmp_path / "b", lost=12))
    assert found["cost.per_1k_sessions", None].differs  # 12 of 60 sessions lost
    assert not rows(slow(tmp_path / "e"), slow(tmp_path / "f", lost=1))["cost.per_1k_sessions", None].differs
    assert not rows(slow(tmp_path / "c"), slow(tmp_path / "d"))["cost.per_1k_sessions", None].differs


def test_on_a_busy_machine_no_latency_differs(tmp_path: Path) -> None:
    here, there = slow(tmp_path / "run", later_s=0.25, lost=2), slow(tmp_path / "twin")
    there.write()
    evidence = evidence_of(here)
    (here.path / "twin.json").write_text(json.dumps({"path": "../twin", "calls": {}}))
    section = twin_section(evidence, [], ["the machine was busy"])
    assert section is not None
    assert section["doubts"] == ["the machine was busy"]
    differing = {row["measure"] for row in section["differences"] if row["differs"]}
    assert "sessions_lost" in differing
    assert not {name for name in differing if name.startswith(("ttft", "tpot", "e2e"))}
