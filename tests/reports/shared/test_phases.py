"""The phases that gates name are phases of a record, in its order."""

from __future__ import annotations

from reports.shared.phases import ALL_PHASES, GATE_PHASES, PHASES


def in_order(phases: tuple[str, ...], of: tuple[str, ...]) -> bool:
    """Whether `phases` is a part of `of`, in the same order."""
    return list(phases) == [phase for phase in of if phase in phases]


def test_phases_of_gates_are_phases_of_a_record_in_its_order() -> None:
    assert in_order(PHASES, ALL_PHASES)
    assert in_order(GATE_PHASES, PHASES)


def test_setup_and_the_phases_of_shedding_cannot_be_named_by_a_gate() -> None:
    assert set(ALL_PHASES) - set(PHASES) == {"setup", "shedding", "readmission"}
