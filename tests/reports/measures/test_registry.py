"""The registry has a function for each measure of the catalogue."""

from __future__ import annotations

from reports.history.evidence import Scope
from reports.measures.catalogue import CATALOGUE
from reports.measures.registry import MEASURES
from tests.support.measure_records import add_failovers
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def test_each_measure_of_the_catalogue_has_a_function_and_no_other_has() -> None:
    assert set(MEASURES) == set(CATALOGUE)


def test_each_statistic_of_each_measure_gives_a_result(good: RecordBuilder) -> None:
    evidence = evidence_of(add_failovers(good))
    for name, spec in CATALOGUE.items():
        stats = [stat if stat != "p*" else "p95" for stat in spec.stats]
        for stat in stats if spec.default_stat is None else ["", *stats]:
            found = MEASURES[name](evidence, Scope(), stat)
            assert (found.value is None) == bool(found.why_not), f"{name}.{stat}"


def test_each_value_is_in_the_range_of_its_statistic(good: RecordBuilder) -> None:
    evidence = evidence_of(add_failovers(good))
    seen = set()
    for name, spec in CATALOGUE.items():
        stats = [stat if stat != "p*" else "p95" for stat in spec.stats]
        for stat in stats if spec.default_stat is None else ["", *stats]:
            for phase in (None, "baseline", "fault", "recovery") if spec.phased else (None,):
                found = MEASURES[name](evidence, Scope(phase), stat)
                if found.value is not None:
                    seen.add(name)
                    assert found.value in spec.range_of(stat), f"{name}.{stat} in {phase}: {found.value}"
    assert len(seen) > len(CATALOGUE) / 2
