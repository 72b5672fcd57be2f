"""The registry of demand kinds, and the reading of orders."""

from __future__ import annotations

import logging
import pkgutil

import pytest

from loadprofiles import demand
from loadprofiles.demand import KINDS, Order, demand_of, read_orders


def test_every_kind_has_a_file_of_its_own_and_is_registered() -> None:
    shared = {"kind", "growth", "active", "level"}
    files = {module.name for module in pkgutil.iter_modules(demand.__path__)} - shared
    assert set(KINDS) == files
    for name, kind in KINDS.items():
        assert kind.__module__ == f"loadprofiles.demand.{name}"


def test_an_unknown_kind_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown kind 'flood': one of surge, heavy_tenant"):
        demand_of(Order("f1", "flood", {}))


def test_invalid_orders_of_a_list_are_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    good = {"id": "f1", "kind": "surge", "params": {"factor": 2}, "seed": 7}
    given = [good, {"kind": "surge"}, 5, {"id": "f2", "kind": "flood"}, {"id": "f3", "kind": "surge", "params": {}}]
    with caplog.at_level(logging.ERROR):
        assert [demand.order.id for demand in read_orders(given)] == ["f1"]
    assert len(caplog.records) == 4
    assert read_orders(None) == []
    assert read_orders("surge") == []
