"""What must be equal for measures of runs to be comparable."""

from __future__ import annotations

from typing import Any

import pytest

from reports.comparison.conditions import Conditions, conditions_of, mismatches
from tests.support.compared_reports import PHASE_S, compared_report


def played(**changes: Any) -> Conditions:
    _, report = compared_report({}, **changes)
    return conditions_of(report["run"], report["phases"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"short_form": True}, "1 of 2 runs are short forms"),
        ({"name": "cut-streams"}, "different experiments: lose-tpu-pool, cut-streams"),
        ({"profile": "chat"}, "different profiles: coding-agent, chat"),
        ({"load_scale": 0.2}, "the load of the runs is scaled differently: by 1, 0.2"),
        ({"trace": {"dir": "/data"}}, "do not replay the same recordings"),
        ({"slo": {"ttft": 1.0}}, "different objectives: {ttft 2 s}, {ttft 1 s}"),
        ({"phases_s": {**PHASE_S, "baseline": 60.0}}, "the baseline lasted from 20 s to 60 s"),
        ({"phases_s": {"baseline": 20.0}}, "the fault lasted from 0 s to 15 s"),
    ],
)
def test_different_conditions_are_said(changes: dict[str, Any], says: str) -> None:
    found = mismatches([played(), played(**changes)])
    assert says in found[0]
    assert mismatches([played(**changes), played(**changes)]) == []


def test_a_short_form_is_said_once_and_not_as_lengths_too() -> None:
    short = played(short_form=True, phases_s={"baseline": 3.0, "fault": 2.0, "recovery": 2.0})
    assert len(mismatches([played(), short])) == 1


def test_runs_of_other_stacks_seeds_and_without_the_faults_are_comparable() -> None:
    others = [played(stack="naive"), played(seed=9), played(name="lose-tpu-pool-twin", twin_of="a")]
    assert mismatches([played(), *others]) == []
    assert [one.twin for one in others] == [False, False, True]


def test_a_fault_that_takes_some_seconds_longer_to_revert_changes_nothing() -> None:
    assert mismatches([played(), played(phases_s={**PHASE_S, "fault": 21.5})]) == []
    assert "the fault lasted" in mismatches([played(), played(phases_s={**PHASE_S, "fault": 40.0})])[0]


def test_the_order_of_the_objectives_does_not_matter() -> None:
    slo = {"ttft": 2.0, "tpot": 0.1}
    assert mismatches([played(slo=slo), played(slo=dict(reversed(slo.items())))]) == []


def test_an_older_report_without_the_newer_fields_can_be_read() -> None:
    _, report = compared_report({})
    for key in ("twin_of", "machine", "short_form"):
        del report["run"][key]
    assert not conditions_of(report["run"], report["phases"]).twin
