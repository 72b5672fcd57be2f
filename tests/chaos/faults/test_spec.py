"""The traits of each kind of fault, and the registries that must agree with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from chaos.faults.catalogue import KINDS
from chaos.faults.load.demand import DemandSpec
from chaos.faults.selection import COUNTS, Count, Selector
from chaos.faults.spec import OF_REQUESTS, FaultSpec, OnStreams
from chaos.faults.world import NEEDS
from loadprofiles.demand import KINDS as DEMAND_KINDS
from reports.shared.fault_traits import TRAITS_OF_OLD_RECORDS, FaultTraits, traits_of
from reports.shared.units import Duration
from targets.gateway.behaviours import BEHAVIOURS as GATEWAY_BEHAVIOURS
from targets.replica.behaviours import BEHAVIOURS as REPLICA_BEHAVIOURS
from targets.replica.behaviours.selector import RequestSelector
from tests.chaos.faults.test_base import SPECS

IMPLEMENTED_BY = {
    "replica": set(REPLICA_BEHAVIOURS),
    "gateway": set(GATEWAY_BEHAVIOURS),
    "load": set(DEMAND_KINDS),
}


BEHAVIOURS = {**REPLICA_BEHAVIOURS, **GATEWAY_BEHAVIOURS}


def choices_of(annotation: Any) -> set[Any]:
    """The values of a Literal, also of one that may be None; empty where the annotation is no Literal."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {value for part in get_args(annotation) for value in choices_of(part)}


def literals_of(annotations: Mapping[str, Any]) -> dict[str, set[Any]]:
    """The Literal fields among these, by name, with their values."""
    found = {name: choices_of(annotation) for name, annotation in annotations.items()}
    return {name: values for name, values in found.items() if values}


def kinds_at(where: str) -> set[str]:
    return {kind for kind, spec in KINDS.items() if spec.where == where}


def durations_of(spec: type[FaultSpec]) -> set[str]:
    """The fields of a kind that hold a duration."""
    (rule,) = get_args(Duration)[1:]

    def of(annotation: Any, metadata: Sequence[Any]) -> bool:
        parts = get_args(annotation)
        return any(entry is rule for entry in (*metadata, *parts)) or any(of(part, ()) for part in parts)

    return {name for name, field in spec.model_fields.items() if of(field.annotation, field.metadata)}


@pytest.mark.parametrize("where", sorted(IMPLEMENTED_BY))
def test_each_fault_has_an_implementation_and_each_implementation_a_fault(where: str) -> None:
    assert kinds_at(where) == IMPLEMENTED_BY[where]


@pytest.mark.parametrize("kind", BEHAVIOURS)
def test_literal_parameters_have_the_same_values_in_file_and_behaviour(kind: str) -> None:
    fields = KINDS[kind].model_fields
    in_file = literals_of(
        {name: field.annotation for name, field in fields.items() if name not in Selector.model_fields}
    )
    in_file.pop("phase", None)  # a selector of requests, tested below
    assert in_file == literals_of(get_type_hints(BEHAVIOURS[kind]))


def test_literal_parameters_are_found_in_five_kinds() -> None:
    found = {kind for kind, behaviour in BEHAVIOURS.items() if literals_of(get_type_hints(behaviour))}
    assert found == {"cut", "malformed", "corrupt", "lying_health", "stale_metrics"}


def test_selectors_of_requests_are_those_that_a_replica_knows() -> None:
    in_replica = get_type_hints(RequestSelector)
    assert set(in_replica) | {"share"} == OF_REQUESTS
    assert choices_of(OnStreams.model_fields["phase"].annotation) == choices_of(in_replica["phase"])
    assert choices_of(in_replica["phase"]) == {"prefill", "decode"}


def test_every_count_that_a_file_may_name_is_implemented() -> None:
    assert choices_of(Count) == set(COUNTS)
    assert choices_of(Selector.model_fields["count"].annotation) == set(COUNTS)


def test_every_kind_acts_at_a_known_place_as_the_fault_that_it_builds() -> None:
    assert {spec.where for spec in KINDS.values()} == set(NEEDS)
    for kind, spec in KINDS.items():
        built = spec.model_validate(SPECS[kind]).build("f1", ["tpu-0"], 7)
        assert built.where == spec.where, kind


@pytest.mark.parametrize("kind", KINDS)
def test_each_duration_of_a_kind_is_either_scaled_or_kept_by_the_short_form(kind: str) -> None:
    spec = KINDS[kind]
    assert set(spec.scaled_times) | set(spec.kept_times) == durations_of(spec)
    assert not set(spec.scaled_times) & set(spec.kept_times)


def test_durations_are_recognized_among_the_fields() -> None:
    assert durations_of(KINDS["kill"]) == {"cold_start"}
    assert durations_of(KINDS["retry_storm"]) == {"timeout"}
    assert durations_of(KINDS["cut"]) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_the_help_text_is_the_whole_docstring(kind: str) -> None:
    text = KINDS[kind].description()
    assert text == " ".join((KINDS[kind].__doc__ or "").split())
    assert text.endswith(".")


def test_the_help_text_of_terminate_is_not_cut_at_its_first_line() -> None:
    assert "running requests go on until they end or the notice is over." in KINDS["terminate"].description()


def test_faults_that_change_calls_are_faults_of_the_load() -> None:
    changing = {kind for kind in KINDS if KINDS[kind].model_validate(SPECS[kind]).changed_calls_share is not None}
    assert changing == {"long_reasoning", "retry_storm"}
    assert all(issubclass(KINDS[kind], DemandSpec) for kind in changing)


@pytest.mark.parametrize("kind", TRAITS_OF_OLD_RECORDS)
def test_the_frozen_table_agrees_with_the_current_kinds(kind: str) -> None:
    assert TRAITS_OF_OLD_RECORDS[kind] == KINDS[kind].traits()


def test_kinds_outside_the_frozen_table_act_in_a_replica_and_have_no_other_trait() -> None:
    newer = {"exec"}
    others = {kind for kind in KINDS if kind not in TRAITS_OF_OLD_RECORDS} - newer
    assert {KINDS[kind].traits() for kind in others} == {FaultTraits()}


def test_recorded_traits_are_read_back() -> None:
    for kind, spec in KINDS.items():
        assert traits_of(kind, spec.traits().recorded()) == spec.traits()
    assert traits_of("a-kind-of-a-newer-version", {"where": "gateway", "new_trait": True}) == FaultTraits("gateway")
    assert traits_of("terminate", None).reclaims_hardware


def test_streams_can_be_selected_by_phase() -> None:
    assert issubclass(KINDS["cut"], OnStreams)
    assert KINDS["cut"].model_validate({"pool": "tpu", "how": "fin", "phase": "decode"}).requests_only == {
        "phase": "decode"
    }
