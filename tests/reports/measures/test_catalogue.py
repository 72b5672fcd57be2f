"""The catalogue: its values are those that are implemented and documented."""

from __future__ import annotations

from typing import get_args

from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import Kind, MeasureSpec, Unit
from reports.shared.wording import value_text
from tests.support.paths import ROOT


def statistics(spec: MeasureSpec) -> list[str]:
    """Each statistic of a measure, p95 for any percentile."""
    bare = [""] if spec.default_stat is not None else []
    return bare + ["p95" if stat == "p*" else stat for stat in spec.stats]


def test_each_kind_of_measure_is_used_and_allowed() -> None:
    used = {spec.kind_of(stat) for spec in CATALOGUE.values() for stat in statistics(spec)}
    assert used == set(get_args(Kind))


def test_each_unit_is_used_and_printed_with_its_name() -> None:
    used = {spec.unit_of(stat) for spec in CATALOGUE.values() for stat in statistics(spec)}
    assert used == set(get_args(Unit))
    printed = {unit: value_text(2, unit) for unit in get_args(Unit)}
    assert printed == {
        "s": "2 s",
        "share": "200%",
        "count": "2",
        "x": "2x",
        "tok/s": "2 tok/s",
        "USD": "$2.00",
        "sessions/s": "2 sessions/s",
    }


def test_measures_need_spans_of_known_kinds_of_process() -> None:
    assert {source for spec in CATALOGUE.values() for source in spec.sources} == {"loadgen", "gateway", "replica"}


def test_each_measure_is_documented_with_its_statistics() -> None:
    documented = (ROOT / "docs" / "measures.md").read_text()
    assert [name for name in CATALOGUE if f"`{name}`" not in documented] == []
    own = {f"{name}.{stat}" for name, spec in CATALOGUE.items() for stat in spec.stats if stat not in ("p*", "max")}
    missing = {
        full for full in own if f"`{full}`" not in documented and f"`.{full.partition('.')[2]}`" not in documented
    }
    assert missing == set()
