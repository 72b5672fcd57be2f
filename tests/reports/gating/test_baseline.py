"""The file of stored runs: made from enough sound repetitions, written whole, read with care."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.comparison.conditions import conditions_of
from reports.gating.baseline import (
    Baseline,
    BaselineFile,
    baseline_notes,
    check_applies,
    find_baseline,
    make_baseline,
    read_baselines,
    with_baseline,
    write_baselines,
)
from reports.gating.regressions import compare_sides
from reports.gating.run_values import pairs_by_seed
from reports.gating.tolerances import DEFAULTS, declared_tolerances
from reports.shared.errors import UserError
from tests.support.compared_reports import compared_report

Report = dict[str, Any]


def report(seed: int, value: float = 0.5, *, verdict: str = "pass", **changes: Any) -> Report:
    values = {"calls": 400.0, "sessions": 70.0, "sessions_lost": 0.0, "ttft.p95": value, "time_to_recover": 4.0}
    _, made = compared_report(values, seed=seed, **changes)
    return {**made, "schema": 3, "verdict": {"verdict": verdict, "why": [f"it was {verdict}"]}}


def reports(**changes: Any) -> list[Report]:
    return [report(seed, 0.5 + seed / 100, **changes) for seed in (3, 1, 2, 5, 4)]


def made(found: list[Report] | None = None, **changes: Any) -> Baseline:
    given = reports(**changes) if found is None else found
    return make_baseline(given, DEFAULTS, version="0.1.0", saved_at="2026-11-28T10:00:00+00:00")


def file_of(*baselines: Baseline) -> BaselineFile:
    return BaselineFile(1, list(baselines))


def test_a_baseline_has_its_runs_in_the_order_of_their_seeds() -> None:
    baseline = made()
    assert (baseline.seeds, baseline.machine, baseline.label) == (
        (1, 2, 3, 4, 5),
        "2 cores, 8 GB",
        "baseline of 2026-11-28",
    )
    assert (baseline.conditions.experiment, baseline.report_schema) == ("lose-tpu-pool", 3)
    assert baseline_notes(baseline) == []


def test_the_spread_between_its_runs_is_relative_or_in_the_unit_of_the_measure() -> None:
    spread = made().spread
    times = [math.log(0.5 + seed / 100) for seed in (1, 2, 3, 4, 5)]
    mean = sum(times) / 5
    sd = math.sqrt(sum((one - mean) ** 2 for one in times) / 4)
    assert spread["ttft.p95"]["run"].relative
    assert spread["ttft.p95"]["run"].sd == pytest.approx(math.expm1(sd))
    assert spread["ttft.p95"]["run"].mean == pytest.approx(math.exp(mean))
    assert (spread["sessions_lost"]["run"].mean, spread["sessions_lost"]["run"].sd) == (0, 0)
    assert "goodput" not in spread


def test_of_runs_with_one_seed_the_last_sound_one_counts() -> None:
    again = [
        report(3, 9.0, started_at="2026-01-02"),
        report(2, 8.0, started_at="2026-01-02", verdict="aborted"),
        report(1, 7.0, started_at="2026-01-02", doubts=("2% late",)),
    ]
    values = [run.value("ttft.p95", None) for run in made([*again, *reports()]).runs]
    assert values == [0.51, 0.52, 9.0, 0.54, 0.55]


def test_too_few_sound_runs_are_refused_with_the_reason_for_each() -> None:
    few = [report(1), report(1), report(2), report(3), report(4, verdict="aborted")]
    with pytest.raises(UserError) as caught:
        made(few)
    assert str(caught.value).startswith(
        "3 of 5 runs count; a baseline needs at least 5 with different seeds. Not counted: seed 4: it was stopped "
        "early; 1 with a seed that another run has\n    Play more seeds: brownout gate"
    )
    with pytest.raises(UserError, match="Not counted: seeds 1 and 2: the target, or a part of brownout, failed"):
        made([report(1, verdict="failed"), report(2, verdict="failed"), report(3)])
    with pytest.raises(UserError, match="there are none"):
        made([])
    with pytest.raises(UserError, match="no report that can be compared"):
        made([{**report(1), "run": {}}])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "cut-streams"}, "different experiments: lose-tpu-pool, cut-streams"),
        ({"stack": "naive"}, "different targets: naive, well"),
        ({"machine": "8 cores, 32 GB"}, "different machines: 2 cores, 8 GB, 8 cores, 32 GB"),
        ({"load_scale": 2.0}, "the load of the runs is scaled differently"),
        ({"short_form": True}, "1 of 5 runs are short forms"),
        ({"twin_of": "a"}, "only some of the runs are twins"),
    ],
)
def test_runs_that_are_no_repetitions_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match="these runs are no repetitions: ") as caught:
        made([*reports()[:4], report(9, **changes)])
    assert says in str(caught.value)


def test_a_busy_machine_and_short_forms_are_noted() -> None:
    assert (
        "the machine was in doubt in 5 of 5 runs: times cannot be compared"
        in baseline_notes(made(doubts=("2% late",)))[0]
    )
    assert "short forms" in baseline_notes(made(short_form=True))[0]


def test_a_written_file_is_read_as_it_was_also_with_never(tmp_path: Path) -> None:
    never = reports()
    never[0]["measures"]["time_to_recover"]["run"] = {"value": "never"}
    file = file_of(made(never))
    path = write_baselines(tmp_path / "baseline.json", file)
    assert read_baselines(path) == file
    assert '"never"' in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["baseline.json"]


def test_a_file_that_cannot_be_written_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be written: .*\n    Give a folder"):
        write_baselines(tmp_path / "gone" / "baseline.json", file_of(made()))


def test_stored_runs_are_compared_with_later_ones_by_seed(tmp_path: Path) -> None:
    path = write_baselines(tmp_path / "b.json", file_of(made()))
    baseline, why = find_baseline(read_baselines(path), "lose-tpu-pool", "well")
    assert baseline is not None
    assert why == ""
    head = made([report(seed, 0.8 + seed / 100) for seed in (5, 4, 3, 2, 1)]).runs
    found = compare_sides(
        pairs_by_seed(head, baseline.runs),
        declared_tolerances(base=baseline.tolerances),
        base=baseline.label,
        source="baseline",
    )
    assert (found.verdict, found.seeds, found.base) == ("fail", (1, 2, 3, 4, 5), "baseline of 2026-11-28")
    assert "ttft.p95: 56.6 % worse" in found.why[0]


def test_one_file_holds_a_baseline_for_each_experiment_and_target() -> None:
    first, other = made(), made(name="cut-streams")
    file = with_baseline(with_baseline(None, first), other)
    later = msgspec.structs.replace(first, saved_at="2027-01-01")
    file = with_baseline(file, later)
    assert [(one.conditions.experiment, one.saved_at[:4]) for one in file.baselines] == [
        ("cut-streams", "2026"),
        ("lose-tpu-pool", "2027"),
    ]
    naive = with_baseline(file, made(stack="naive"))
    assert len(naive.baselines) == 3
    assert find_baseline(naive, "lose-tpu-pool", "well")[0] == later


def test_a_baseline_that_is_missing_is_named_with_those_that_are_there() -> None:
    file = file_of(made())
    assert find_baseline(file, "cut-streams", "well") == (
        None,
        "it has no baseline of cut-streams, only of lose-tpu-pool",
    )
    found, why = find_baseline(file, "lose-tpu-pool", "naive")
    assert (found, why) == (None, "its baseline of lose-tpu-pool is of well, not of naive")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"name": "cut-streams"}, "different experiments"),
        ({"profile": "chat"}, "different profiles"),
        ({"load_scale": 0.5}, "scaled differently"),
        ({"slo": {"ttft": 1.0}}, "different objectives"),
        ({"short_form": True}, "short forms"),
        ({"phases_s": {"baseline": 60.0, "fault": 15.0, "recovery": 15.0}}, "the baseline lasted from 20 s to 60 s"),
        ({"stack": "naive"}, "the baseline is of well, these runs are on naive"),
        ({"twin_of": "a"}, "only one of both sides was played without the faults"),
        ({"machine": "8 cores, 32 GB"}, "was played on 2 cores, 8 GB, these runs on 8 cores, 32 GB"),
        ({"machine": ""}, "these runs on an unknown machine"),
    ],
)
def test_a_baseline_applies_only_to_runs_like_its_own(changes: dict[str, Any], says: str) -> None:
    run = report(1, **changes)
    problems = check_applies(made(), conditions_of(run["run"], run["phases"]), run["run"]["machine"], report_schema=3)
    assert len(problems) == bool(changes)
    assert says in "".join(problems)


def test_a_baseline_from_reports_of_another_version_does_not_apply() -> None:
    run = report(1)
    played = conditions_of(run["run"], run["phases"])
    assert check_applies(made(), played, "2 cores, 8 GB") == []
    assert "saved by brownout 0.1.0, which defines some measures differently" in "".join(
        check_applies(made(), played, "2 cores, 8 GB", report_schema=4)
    )


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(msgspec.json.encode(file_of(made())))
    change(data)
    return json.dumps(data)


BROKEN = {
    "schema 7; this brownout reads schema 1. Save": changed(lambda data: data.update(schema=7)),
    "schema True; this brownout": changed(lambda data: data.update(schema=True)),
    "schema None; this brownout": changed(lambda data: data.pop("schema")),
    "has two runs with one seed": changed(lambda data: data["baselines"][0]["runs"][0].update(seed=2)),
    "has a run that may not decide": changed(lambda data: data["baselines"][0]["runs"][0].update(sound=False)),
    "has a tolerance for nonsense, which": changed(
        lambda data: data["baselines"][0]["tolerances"][0].update(measure="nonsense")
    ),
    "Expected `array` of length >= 5": changed(lambda data: data["baselines"][0]["runs"].pop()),
    "missing required field `machine`": changed(lambda data: data["baselines"][0].pop("machine")),
    "unknown field `more`": changed(lambda data: data["baselines"][0].update(more=1)),
    "of length >= 1": changed(lambda data: data.update(baselines=[])),
    "Expected `float`, got `str`": changed(
        lambda data: data["baselines"][0]["runs"][0]["measures"]["ttft.p95"].update(run="soon")
    ),
    "Invalid enum value 'drain'": changed(
        lambda data: data["baselines"][0]["runs"][0]["measures"]["ttft.p95"].update(drain=1.0)
    ),
    "two baselines are of the same": changed(lambda data: data["baselines"].append(data["baselines"][0])),
    "is not a file of baselines. Make one with: brownout baseline save": '{"schema": 1, "spreads": []}',
    "is not JSON": '{"schema": 1, "baselines": ',
}


@pytest.mark.parametrize("says", BROKEN)
def test_a_file_that_is_not_valid_is_an_error_with_its_path(says: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(BROKEN[says])
    with pytest.raises(UserError) as caught:
        read_baselines(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"null", b"[]", b"[" * 200_000, b'{"schema": 1e999, "baselines": []}', b"PK\x03\x04", b"NaN"],
)
def test_garbage_is_an_error_of_the_user(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"baseline\.json: is not (JSON|a file of baselines)"):
        read_baselines(path)


def test_what_is_no_regular_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "gone.json", tmp_path, pipe):
        with pytest.raises(UserError, match=r"cannot be read: .*brownout baseline save"):
            read_baselines(path)


def test_a_very_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "record.bin"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(UserError, match="too large"):
        read_baselines(path)


TEXT = msgspec.json.encode(file_of(made())).decode()


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(0, len(TEXT) - 1), cut=st.integers(0, 30), put=st.sampled_from(["", "[", "null", '"never"', "-1"])
)
def test_a_damaged_file_is_read_or_refused(
    at: int, cut: int, put: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "baseline.json"
    path.write_text(TEXT[:at] + put + TEXT[at + cut :])
    try:
        assert len(read_baselines(path).baselines[0].runs) >= 5
    except UserError as error:
        assert str(path) in str(error)  # noqa: PT017
