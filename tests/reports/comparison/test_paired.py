"""A run compared with its twin: differences paired by session; runs without a twin or with an unreadable one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.analysis import analyse
from reports.comparison.paired import Difference, differences, judged, twin_section
from reports.comparison.spread import Spread, SpreadFile, measured_spread
from reports.gates.grammar import parse_gate
from reports.history.evidence import gather
from reports.history.statistics import paired
from reports.measures.catalogue import CATALOGUE
from reports.record.reader import read_record
from tests.support.compared_reports import compared_report
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of
from tests.support.stored_spread import MACHINE, spread_for

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
    assert found.beyond_sessions
    assert not found.differs


def test_two_equal_runs_do_not_differ(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a"), slow(tmp_path / "b"))
    assert found
    assert not [row for row in found.values() if row.beyond_sessions or row.differs or row.difference != 0]


def test_a_count_has_no_interval_and_is_judged_by_an_exact_test(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a", lost=4), slow(tmp_path / "b", lost=1))["sessions_lost", None]
    assert (found.here, found.there, found.difference, found.interval) == (4, 1, 3, None)
    assert not found.beyond_sessions
    assert rows(slow(tmp_path / "c", lost=12), slow(tmp_path / "d", lost=1))["sessions_lost", None].beyond_sessions


def test_no_pair_differs_without_a_spread(tmp_path: Path) -> None:
    found = rows(slow(tmp_path / "a", later_s=1.0, lost=30), slow(tmp_path / "b"))
    assert {row.measure for row in found.values() if row.beyond_sessions} >= {"sessions_lost", "ttft.p95"}
    assert not [row for row in found.values() if row.differs or row.p is not None]


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
    assert (median["beyond_sessions"], median["differs"], median["p"]) == (True, False, None)
    assert section["note"] == (
        "one pair cannot tell a difference from chance: play at least 5 seeds with --twin and compare all runs, "
        "or give --spread FILE"
    )
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
    assert found["cost.per_1k_sessions", None].beyond_sessions  # 12 of 60 sessions lost
    assert not rows(slow(tmp_path / "e"), slow(tmp_path / "f", lost=1))["cost.per_1k_sessions", None].beyond_sessions
    assert not rows(slow(tmp_path / "c"), slow(tmp_path / "d"))["cost.per_1k_sessions", None].beyond_sessions


def with_twin(tmp_path: Path, **changes: Any) -> Path:
    """A run with a twin and a spread that applies to both; `changes`: what is different in the run."""
    here, there = slow(tmp_path / "run", **changes), slow(tmp_path / "twin")
    there.experiment["twin_of"] = {"folder": "run", "fault_s": 15.0}
    there.experiment["name"] = "lose-tpu-pool-twin"
    stored = []
    for builder in (here, there):
        builder.event("machine", -3.0, **MACHINE)
        stored.append(spread_for(analyse(builder.write(), write=False).data))
    (here.path / "twin.json").write_text(json.dumps({"path": "../twin", "calls": {}}))
    (here.path / "spread.json").write_bytes(msgspec.json.encode(SpreadFile(1, stored)))
    return here.path


def differing(section: dict[str, Any]) -> set[str]:
    return {row["measure"] for row in section["differences"] if row["differs"]}


def test_a_twin_differs_beyond_the_stored_spread_of_both_kinds_of_runs(tmp_path: Path) -> None:
    section = analyse(with_twin(tmp_path, later_s=0.5, lost=20), write=False).data["twin"]
    assert {"sessions_lost", "ttft.p50", "session_success"} <= differing(section)
    assert "calls" not in differing(section)
    assert (section["note"], section["spread"]["pairs"]) == ("", 10)


def test_one_lost_session_more_is_no_difference_though_it_never_happened_before(tmp_path: Path) -> None:
    section = analyse(with_twin(tmp_path, lost=1), write=False).data["twin"]
    assert differing(section) == set()
    assert section["note"] == ""


def test_a_twin_that_was_reduced_to_its_reports_is_a_problem(tmp_path: Path) -> None:
    folder = with_twin(tmp_path, lost=20)
    shutil.rmtree(tmp_path / "twin" / "spans")
    section = analyse(folder, write=False).data["twin"]
    assert section["problem"].endswith("twin has no calls")
    assert section["differences"] == []


def test_an_invalid_file_of_spreads_is_said_and_no_crash(tmp_path: Path) -> None:
    folder = with_twin(tmp_path, later_s=0.5)
    (folder / "spread.json").write_text("{")
    section = analyse(folder, write=False).data["twin"]
    assert "is not a file of spreads" in section["note"]
    assert section["differences"]
    assert differing(section) == set()


def test_a_spread_of_another_machine_is_not_used(tmp_path: Path) -> None:
    folder = with_twin(tmp_path, later_s=0.5)
    text = (folder / "spread.json").read_text().replace("2 cores, 8 GB", "64 cores, 256 GB")
    (folder / "spread.json").write_text(text)
    section = analyse(folder, write=False).data["twin"]
    assert "(the stored spread was measured on 64 cores, 256 GB, this run on 2 cores, 8 GB)" in section["note"]
    assert section["spread"] is None


def test_on_a_busy_machine_no_latency_differs(tmp_path: Path) -> None:
    folder = with_twin(tmp_path, later_s=0.5, lost=20)
    section = twin_section(gather(read_record(folder)), [], ["the machine was busy"])
    assert section is not None
    assert section["doubts"] == ["the machine was busy"]
    assert "sessions_lost" in differing(section)
    assert not {name for name in differing(section) if name.startswith(("ttft", "tpot", "e2e"))}


def simulated(rng: np.random.Generator, sd: float, factor: float = 1.0) -> dict[str, float]:
    """The values of a run: luck of `sd` in every measure, Poisson counts."""
    names = ("ttft.p50", "ttft.p95", "tpot.p95", "e2e.p95", "goodput")
    values = {name: factor * float(np.exp(rng.normal(0, sd))) for name in names}
    return {**values, "calls": 400.0 + float(rng.integers(0, 5)), "sessions_lost": float(rng.poisson(2))}


def pair_of(here: dict[str, float], there: dict[str, float]) -> list[Difference]:
    """The differences of two runs whose intervals between sessions all exclude 0: the worst that can happen."""
    found = []
    for name in here:
        bare, _, stat = name.partition(".")
        spec = CATALOGUE[bare]
        less = here[name] - there[name]
        row = Difference(name, spec.title, spec.unit_of(stat), None, here[name], there[name], less, None, True)
        found.append(row)
    return found


def spread_of(rng: np.random.Generator, sd: float) -> Spread:
    """Of eight simulated A/A pairs."""
    reports = [compared_report(simulated(rng, sd), seed=at // 2)[1] for at in range(16)]
    return measured_spread(list(zip(reports[::2], reports[1::2], strict=True)), "")


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.04])
def test_equal_runs_differ_in_at_most_5_percent_of_pairs(sd: float) -> None:
    """Also where the interval within the pair excludes 0 each time; alone, it says "differs" in 11 to 62 %."""
    rng = np.random.default_rng(int(sd * 100))
    alarms = 0
    for _ in range(400):
        spread = spread_of(rng, sd)
        found = judged(pair_of(simulated(rng, sd), simulated(rng, sd)), spread, spread)
        alarms += any(row.differs for row in found)
    assert alarms / 400 <= 0.05


def test_a_real_difference_of_one_pair_is_found() -> None:
    """20 % with 1 % between runs."""
    rng = np.random.default_rng(20)
    found = 0
    for _ in range(100):
        spread = spread_of(rng, 0.01)
        rows = judged(pair_of(simulated(rng, 0.01, factor=1.2), simulated(rng, 0.01)), spread, spread)
        found += {row.measure for row in rows if row.differs} == {
            "ttft.p50",
            "ttft.p95",
            "tpot.p95",
            "e2e.p95",
            "goodput",
        }
    assert found >= 95


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([1.0, 1.05, 1.5]))
def test_exchanged_runs_have_the_same_words(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    one, other = spread_of(rng, 0.01), spread_of(rng, 0.02)
    here, there = simulated(rng, 0.01, factor), simulated(rng, 0.02)
    ours, theirs = judged(pair_of(here, there), one, other), judged(pair_of(there, here), other, one)
    assert [(row.p, row.differs) for row in ours] == [(row.p, row.differs) for row in theirs]
