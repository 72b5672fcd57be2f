"""The file of spreads: made from A/A pairs, read back, applied only to runs like those."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reports.comparison.conditions import conditions_of
from reports.comparison.spread import (
    Spread,
    SpreadFile,
    find_spread,
    measured_spread,
    number,
    read_spreads,
    sd_of_pair,
    spread_facts,
    spreads_of_pair,
)
from reports.shared.errors import UserError
from tests.support.compared_reports import compared_report

FACTORS = (1.02, 0.99, 1.0, 1.03, 0.97)


def report(p95: float | None = 0.4, lost: int = 0, **changes: Any) -> dict[str, Any]:
    return compared_report({"ttft.p95": p95, "sessions_lost": lost, "wasted_tokens": 0.0}, **changes)[1]


def pairs(**changes: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(report(0.4 * factor, seed=seed, **changes), report(seed=seed)) for seed, factor in enumerate(FACTORS)]


def stored() -> Spread:
    return measured_spread(pairs(), "abc1234")


def test_the_spread_is_the_standard_deviation_on_each_scale_that_fits() -> None:
    spread = stored()
    log = math.sqrt(sum(math.log(factor) ** 2 for factor in FACTORS) / 5)
    linear = math.sqrt(sum((0.4 * factor - 0.4) ** 2 for factor in FACTORS) / 5)
    assert spread.measures["ttft.p95"]["fault"] == pytest.approx({"log": log, "linear": linear})
    assert spread.measures["sessions_lost"]["run"] == {"root": 0.0}
    assert spread.measures["wasted_tokens"]["run"] == {"linear": 0.0}
    assert (spread.pairs, spread.machine, spread.commit) == (5, "2 cores, 8 GB", "abc1234")


def test_a_measure_that_one_run_lacks_or_that_is_infinite_has_no_spread() -> None:
    some = pairs()
    some[2] = (report(None, seed=2), report(seed=2))
    assert "ttft.p95" not in measured_spread(some, "").measures
    some[2] = (report("never", seed=2), report(seed=2))  # type: ignore[arg-type]
    assert "ttft.p95" not in measured_spread(some, "").measures


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: pairs()[:4], "at least 5 pairs; there are 4"),
        (lambda: pairs(stack="naive"), "different targets"),
        (lambda: pairs(machine="8 cores, 32 GB"), "different machines"),
        (lambda: pairs(profile="chat"), "different profiles"),
        (lambda: [*pairs(), (report(seed=7), report(seed=8))], "different seeds"),
    ],
)
def test_runs_that_are_not_repetitions_give_no_spread(made: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        measured_spread(made(), "")


def test_a_file_of_spreads_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "spread.json"
    path.write_bytes(msgspec.json.encode(SpreadFile(1, [stored()])))
    assert read_spreads(path) == [stored()]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2, "spreads": []}', '{"schema": 1, "spreads": [{}]}'])
def test_an_invalid_file_is_an_error_with_a_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spread.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"spread\.json: is not a file of spreads .*python -m bench\.spread"):
        read_spreads(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_spreads(tmp_path / "gone.json")


def test_the_spreads_of_the_package_can_be_read() -> None:
    assert all(spread.pairs >= 5 for spread in read_spreads(None))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"stack": "naive"}, ""),
        ({"name": "lose-tpu-pool-twin", "twin_of": "a"}, ""),
        ({"slo": {"ttft": 1.0}}, "other conditions: the runs have different objectives"),
        ({"short_form": True}, "other conditions: 1 of 2 runs are short forms"),
        ({"machine": "8 cores, 32 GB"}, "was measured on 2 cores, 8 GB, this run on 8 cores, 32 GB"),
        ({"machine": ""}, "this run on an unknown machine"),
    ],
)
def test_a_spread_applies_only_to_runs_like_those_it_was_measured_on(changes: dict[str, Any], says: str) -> None:
    run = report(**changes)
    spread, why = find_spread([stored()], conditions_of(run["run"], run["phases"]), run["run"]["machine"])
    assert (spread is not None) == (changes == {})
    assert says in why
    assert bool(why) == bool(says)


def test_two_stacks_need_a_spread_each_and_their_variances_are_averaged() -> None:
    naive = msgspec.structs.replace(
        stored(), conditions=msgspec.structs.replace(stored().conditions, target="naive"), pairs=7
    )
    louder = msgspec.structs.replace(naive, measures={"ttft.p95": {"run": {"log": 0.3}}})
    well = msgspec.structs.replace(stored(), measures={"ttft.p95": {"run": {"log": 0.1, "linear": 0.05}}})
    assert sd_of_pair(well, louder, "ttft.p95", None) == pytest.approx({"log": math.sqrt(0.05)})
    assert sd_of_pair(well, louder, "ttft.p95", "fault") == {}
    here, there = report(), report(stack="naive")
    assert spreads_of_pair([well], here, there) == ""
    assert spreads_of_pair([louder, well], here, there) == (well, louder)
    assert spread_facts((well, louder)) == {"pairs": 5, "machine": "2 cores, 8 GB", "commit": "abc1234"}


def test_infinite_values_of_a_report_are_numbers_again() -> None:
    assert number(report("never"), "ttft.p95", None) == math.inf  # type: ignore[arg-type]
    assert number(report(0.5), "ttft.p95", "fault") == 0.5
    assert number(report(), "ttft.p95", "drain") is None
    assert number(report(), "tpot.p95", None) is None
