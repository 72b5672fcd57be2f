"""Runs side by side: column names, gates that differ, what is rejected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.comparison.side_by_side import ComparedRun, compare, read_report
from reports.shared.errors import UserError
from reports.writers.json_report import write_json
from tests.support.record_builder import RecordBuilder, good_run

GATES = ["sessions_lost == 0", "ttft.p95 in baseline <= 100 ms", "failover.max <= 5 s"]


def reported(builder: RecordBuilder) -> ComparedRun:
    """The report of the run, written and read back."""
    folder = builder.write()
    write_json(analyse(folder, write=False), folder)
    return read_report(folder)


def made(folder: Path, *, lost: int = 0, **more: Any) -> ComparedRun:
    """The report of a run with `lost` lost sessions; `more` is added to its experiment."""
    builder = good_run(folder, sessions=30)
    builder.experiment.update(gates=GATES, headline_gate=GATES[0], **more)
    for index in range(lost):
        builder.session(f"x{index}", 7.0, 9.0, "lost")
    return reported(builder)


def stack(name: str) -> dict[str, Any]:
    """The keys of an experiment on the stack of that name."""
    return {"stack": {"name": name, "model": "m", "replicas": []}, "target": {"stack": name}}


def test_gates_on_which_the_runs_differ_are_marked(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a", **stack("well")), made(tmp_path / "b", lost=3, **stack("naive"))])
    assert [run["label"] for run in data["runs"]] == ["well", "naive"]
    rows = {row["text"]: row for row in data["gates"]}
    assert list(rows) == GATES
    lost = rows["sessions_lost == 0"]
    assert [cell["verdict"] for cell in lost["cells"]] == ["pass", "fail"]
    assert [cell["value"] for cell in lost["cells"]] == [0, 3]
    assert (lost["differs"], lost["headline"]) == (True, True)
    other = rows["ttft.p95 in baseline <= 100 ms"]
    assert (other["differs"], other["headline"]) == (False, False)
    assert data["notes"] == []


def test_measures_have_a_value_per_run_and_phase(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a", **stack("well")), made(tmp_path / "b", lost=3, **stack("naive"))])
    rows = {row["name"]: row for row in data["measures"]}
    assert rows["sessions_lost"]["run"] == [0, 3]
    assert rows["sessions_lost"]["phases"]["baseline"] == [0, 3]
    assert rows["time_to_recover"]["phases"] == {}


def test_the_timeline_ends_with_the_load(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a", seed=1), made(tmp_path / "b", seed=2)])
    assert [len(timeline["offered"]) for timeline in data["timelines"]] == [51, 51]


def test_columns_are_named_by_what_distinguishes_the_runs(tmp_path: Path) -> None:
    runs = [made(tmp_path / "a", seed=1), made(tmp_path / "b", seed=2)]
    assert [run["label"] for run in compare(runs)["runs"]] == ["seed 1", "seed 2"]
    runs = [made(tmp_path / "c", seed=1, **stack("x")), made(tmp_path / "d", seed=2, **stack("y"))]
    assert [run["label"] for run in compare(runs)["runs"]] == ["x seed 1", "y seed 2"]
    runs = [made(tmp_path / "e"), made(tmp_path / "f")]
    assert [run["label"] for run in compare(runs)["runs"]] == ["two-pools (e)", "two-pools (f)"]


def test_versions_of_one_gateway_are_named_and_label_the_columns(tmp_path: Path) -> None:
    runs = [made(tmp_path / name, seed=7) for name in ("a", "b")]
    for (_, report), version in zip(runs, ("1.22.1", "1.24.0"), strict=True):
        report["run"] |= {"gateway": "nginx:tuned", "gateway_program": "nginx", "gateway_version": version}
    data = compare(runs)
    on = "nginx:tuned on two-pools"
    assert [run["label"] for run in data["runs"]] == [f"{on}, version 1.22.1", f"{on}, version 1.24.0"]
    assert [run["gateway_version"] for run in data["runs"]] == ["1.22.1", "1.24.0"]
    assert data["notes"] == [f"the gateway of {on} has different versions: 1.22.1, 1.24.0"]
    assert data["comparable"]


def test_different_experiments_are_shown_but_not_compared_and_the_notes_say_so_first(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a"), made(tmp_path / "b", lost=9, name="other", slo={"ttft": 1.0}, seed=8)])
    assert data["notes"] == [
        "measures are not compared: the runs have different experiments: lose-tpu-pool, other",
        "measures are not compared: the runs have different objectives: {tpot 0.1 s, ttft 2 s}, {ttft 1 s}",
        "the runs have different seeds: 7, 8",
    ]
    assert not data["comparable"]
    assert data["differences"] == []
    assert not [gate for gate in data["gates"] if gate["differs"]]
    assert [cell["verdict"] for cell in data["gates"][0]["cells"]] == ["pass", "fail"]
    assert [run["label"] for run in data["runs"]] == ["seed 7 in lose-tpu-pool", "seed 8 in other"]


def test_a_short_form_beside_a_full_run_is_not_compared(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a"), made(tmp_path / "b", lost=9, short_form=True)])
    assert data["notes"][0].startswith("measures are not compared: 1 of 2 runs are short forms")
    assert (data["comparable"], data["differences"]) == (False, [])
    assert not [gate for gate in data["gates"] if gate["differs"]]


def test_one_pair_of_two_stacks_shows_values_and_says_that_it_cannot_tell(tmp_path: Path) -> None:
    data = compare([made(tmp_path / "a", **stack("well")), made(tmp_path / "b", lost=9, **stack("naive"))])
    (contrast,) = data["differences"]
    assert (contrast["here"], contrast["there"], contrast["pairs"], contrast["seeds"]) == ("naive", "well", 1, [7])
    assert contrast["note"].startswith("one pair cannot tell a difference from chance")
    lost = next(row for row in contrast["rows"] if (row["measure"], row["phase"]) == ("sessions_lost", None))
    assert (lost["here"], lost["there"], lost["difference"], lost["p"], lost["differs"]) == (9, 0, 9, None, False)


def test_five_seeds_of_two_stacks_tell_a_difference(tmp_path: Path) -> None:
    runs = [made(tmp_path / f"a{seed}", seed=seed, **stack("well")) for seed in range(5)]
    runs += [made(tmp_path / f"b{seed}", lost=9, seed=seed, **stack("naive")) for seed in range(5)]
    (contrast,) = compare(runs)["differences"]
    assert (contrast["note"], contrast["pairs"]) == ("", 5)
    assert ("sessions_lost", None) in {(row["measure"], row["phase"]) for row in contrast["rows"] if row["differs"]}


def test_a_gate_that_one_run_does_not_have_is_none(tmp_path: Path) -> None:
    first = made(tmp_path / "a")
    builder = good_run(tmp_path / "b")
    builder.experiment["gates"] = ["calls >= 1"]
    rows = {row["text"]: row for row in compare([first, reported(builder)])["gates"]}
    assert [cell and cell["verdict"] for cell in rows["calls >= 1"]["cells"]] == [None, "pass"]
    assert not rows["calls >= 1"]["differs"]


def test_runs_that_cannot_be_compared_are_rejected(tmp_path: Path) -> None:
    run = made(tmp_path / "a")
    with pytest.raises(UserError, match="name two or more"):
        compare([run])
    with pytest.raises(UserError, match="named twice"):
        compare([run, run])
    with pytest.raises(UserError, match="brownout report"):
        read_report(tmp_path)
    for text in ("{", json.dumps([]), json.dumps({"schema": 99})):
        (tmp_path / "report.json").write_text(text)
        with pytest.raises(UserError, match="Make it again"):
            read_report(tmp_path)


def test_a_report_without_a_part_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    folder, report = made(tmp_path / "a")
    (folder / "report.json").write_text(json.dumps({"schema": report["schema"]}))
    with pytest.raises(UserError, match=r"part 'run' is missing\. Make it again with: brownout report"):
        read_report(folder)
