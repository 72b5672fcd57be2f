"""The placebo benchmark: a boundary that means nothing changes nothing, and a wrong definition is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.placebo import contradictions, cut_in_two, differing, main, simulated, too_many
from reports.history.evidence import Evidence
from reports.record.reader import read_record
from tests.support.record_builder import good_run


@pytest.mark.long
def test_hardly_a_measure_of_simulated_runs_differs() -> None:
    found = [differs for seed in range(900, 912) for differs in differing(simulated(seed)).values()]
    assert len(found) >= 12 * 7
    assert not too_many(sum(found), len(found))


@pytest.mark.long
def test_tokens_counted_where_their_call_is_judged_make_goodput_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_call(evidence: Evidence, phases: tuple[str, ...]) -> object:
        columns = evidence.columns
        return columns.tokens * [phase in phases for phase in columns.slo_phase]

    monkeypatch.setattr("reports.measures.goodput.tokens_arrived", by_call)
    found = [differing(simulated(seed))["goodput"] for seed in range(900, 912)]
    assert too_many(sum(found), len(found))


@pytest.mark.parametrize(("differ", "compared", "wrong"), [(0, 0, False), (3, 60, False), (9, 60, True)])
def test_more_differences_than_chance_allows_are_too_many(differ: int, compared: int, wrong: bool) -> None:
    assert too_many(differ, compared) is wrong


def test_the_halves_of_a_record_do_not_contradict_each_other(tmp_path: Path) -> None:
    good = good_run(tmp_path / "run")
    good.events.clear()
    good.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "drain": 51.0, "end": 55.0})
    evidence = cut_in_two(read_record(good.write()))
    assert [phase.name for phase in evidence.record.phases] == ["setup", "warmup", "baseline", "fault", "drain"]
    assert contradictions(evidence, ["calls_failed == 0", "ttft.p50 <= 2 s", "failover.max <= 5 s"]) == []
    assert contradictions(evidence, ["calls <= 137"]) == ["calls <= 137"]


def test_without_live_runs_only_simulated_ones_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--simulated", "2", "--live", "0", "--results", str(tmp_path / "rows.jsonl")]
    assert main(options) == 0
    assert "2 runs" in capsys.readouterr().out
