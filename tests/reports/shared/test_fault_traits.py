"""Records of runs without traits of faults, as older versions wrote them, are reported like those with traits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from chaos.faults.catalogue import KINDS
from reports.analysis import analyse
from reports.report.build import plain
from reports.shared import attributes as names
from reports.shared.fault_traits import TRAITS_OF_OLD_RECORDS, FaultTraits, Where, traits_of
from reports.waterfall.rows import fault_windows
from tests.support.record_builder import RecordBuilder, Up, good_run
from tests.support.record_results import evidence_of, measured

TERMINATED_AT_S = 26.0
KINDS_TRIED = ("freeze", "terminate", "surge", "slow_scheduler")


def record_of(folder: Path, kind: str, traits: Mapping[str, Any] | None) -> RecordBuilder:
    """A run with a fault of this kind and calls that meet it. `traits` None: not recorded."""
    record = good_run(folder)
    where = KINDS[kind].where
    targets = ["tpu-0"] if where == "process" else [where]
    hits = None if where == "process" else 2
    record.fault("f1", kind, targets, hits=hits)
    for event in record.events:
        if event["type"] == "fault" and traits is not None:
            event["traits"] = dict(traits)
    if where == "process":  # a call that stays with the target, which sends nothing for 10.2 s
        record.call("met", 0, 19.4, gaps={3: 10.2}, ups=[Up("tpu-0", 19.401, 30.3, passed_on=11)])
        record.event(
            "process", TERMINATED_AT_S, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9,
            expected=True,
        )  # fmt: skip
    else:  # a call that the fault hit, and one of a session that it added
        record.call("met", 0, 21.0, chat_hits=("f1",))
        record.call("met-f1-0", 0, 21.0)
        record.session("met-f1-0", 21.0, 22.0, its={names.FAULT_ID: "f1"})
    return record


def results_of(record: RecordBuilder) -> dict[str, Any]:
    """What the analysis makes of the fault: who met it, the failover, and the cost of each pool."""
    (impact,) = evidence_of(record).impacts
    encounters = [
        (
            met.call.session,
            met.met_s,
            met.interrupted,
            plain(met.failover_s),
            met.saved,
            met.from_replica,
            met.to_replica,
        )
        for met in impact.encounters
    ]
    return {
        "traits": impact.fault.traits,
        "on_replicas": impact.on_replicas,
        "hits": impact.hits,
        "attempts": impact.attempts,
        "encounters": encounters,
        "failover": measured(record, "failover.max"),
        "cost": [measured(record, "cost", "fault", ("pool", pool)).value for pool in ("gpu", "tpu")],
    }


@pytest.mark.parametrize("kind", KINDS_TRIED)
def test_a_record_without_traits_is_reported_like_one_with_traits(tmp_path: Path, kind: str) -> None:
    recorded = KINDS[kind].traits().recorded()
    without = record_of(tmp_path / "without" / "run", kind, None)
    with_traits = record_of(tmp_path / "with" / "run", kind, recorded)
    old = results_of(without)
    assert repr(old) == repr(results_of(with_traits))  # by text, because NaN differs from itself
    assert old["traits"] == KINDS[kind].traits()
    report, expected = (plain(analyse(record.path, write=False).data) for record in (without, with_traits))
    assert report == expected
    assert report["faults"][0]["traits"] == recorded


@pytest.mark.parametrize("kind", KINDS_TRIED)
def test_the_traits_make_a_difference_in_these_records(tmp_path: Path, kind: str) -> None:
    """With the default traits in place of those of the kind, the same record has other results."""
    recorded = results_of(record_of(tmp_path / "kind", kind, KINDS[kind].traits().recorded()))
    default = results_of(record_of(tmp_path / "default", kind, FaultTraits().recorded()))
    different = {key for key in recorded if repr(recorded[key]) != repr(default[key])} - {"traits"}
    assert (
        different
        >= {
            "freeze": {"encounters", "failover"},
            "terminate": {"cost"},
            "surge": {"encounters", "on_replicas"},
            "slow_scheduler": {"encounters", "on_replicas"},
        }[kind]
    )


def test_a_frozen_replica_interrupts_the_call_that_stays_with_it(tmp_path: Path) -> None:
    results = results_of(record_of(tmp_path / "run", "freeze", None))
    ((session, _, interrupted, failover_s, *_),) = results["encounters"]
    assert (session, interrupted) == ("met", True)
    assert failover_s == pytest.approx(10.2)


def test_hardware_of_a_terminated_replica_is_free_until_its_replacement_starts(tmp_path: Path) -> None:
    gpu, tpu = results_of(record_of(tmp_path / "run", "terminate", None))["cost"]
    assert gpu == pytest.approx(2 * 36 * 11 / 3600)
    assert tpu == pytest.approx((2 * 18 * 11 - 18 * (30 - TERMINATED_AT_S)) / 3600)


@pytest.mark.parametrize("kind", ["surge", "slow_scheduler"])
def test_a_fault_of_load_or_gateway_interrupts_no_call(tmp_path: Path, kind: str) -> None:
    results = results_of(record_of(tmp_path / "run", kind, None))
    assert [encounter[0] for encounter in results["encounters"]] == ["met", "met-f1-0"]
    assert not any(interrupted for _, _, interrupted, *_ in results["encounters"])
    assert (results["on_replicas"], results["hits"]) == (False, 2)


def test_the_windows_of_a_waterfall_of_an_old_report_have_the_traits_of_their_kind() -> None:
    old = [{"id": "f1", "kind": kind, "stages": {"injected": 20.0}} for kind in ("kill", "freeze", "flap", "cut")]
    windows = fault_windows(old)
    assert [(window.kind, window.loses_spans) for window in windows] == [
        ("kill", True),
        ("freeze", False),
        ("flap", True),
        ("cut", False),
    ]
    assert all(math.isinf(window.end_s) for window in windows)


def test_recorded_traits_win_over_those_of_the_kind() -> None:
    assert traits_of("kill", {"where": "gateway"}) == FaultTraits("gateway")
    assert traits_of("kill", {}) == FaultTraits()


def test_a_kind_that_is_not_in_the_frozen_table_acted_inside_a_replica() -> None:
    assert traits_of("http_error", None) == FaultTraits("replica")


def test_unknown_traits_of_a_newer_version_are_ignored() -> None:
    assert traits_of("kill", {"where": "process", "of_a_newer_version": True}) == FaultTraits("process")


def test_the_places_of_faults_are_those_of_the_kinds_in_new_and_old_records() -> None:
    assert {kind.where for kind in KINDS.values()} == set(get_args(Where))
    newer = {"system"}
    assert {traits.where for traits in TRAITS_OF_OLD_RECORDS.values()} == set(get_args(Where)) - newer
