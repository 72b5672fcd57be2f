"""Posts of counters: what the runner reads of them has the right types, or the post is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chaos.runner.counters import decode_counters
from loadprofiles.player.counters import Counters as LoadCounters
from loadprofiles.player.load_config import Slo

POST: dict[str, Any] = {"process": "locust", "incarnation": 1, "kind": "load", "at": 5}
LOAD = LoadCounters(Slo()).snapshot(None)


def decode(**changes: Any) -> Any:
    return decode_counters(msgspec.json.encode({**POST, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {}},
        {"data": LOAD},
        {"data": {**LOAD, "load_started": 10, "more": [1]}},
        {"kind": "replica", "data": {"running": 3, "hits": {"f1": 2}}},
        {"kind": "gateway", "data": {"replicas": {"r0": {"ejected": False, "breaker": "open", "pool": "tpu"}}}},
        {"kind": "another", "data": {"replicas": 3}},
    ],
)
def test_posts_of_processes_are_accepted(changes: dict[str, Any]) -> None:
    assert decode(**changes).data == changes["data"]


@pytest.mark.parametrize(
    "changes",
    [
        {"at": -1},
        {"at": 2**63},
        {"at": 10**400},
        {"at": 1.5},
        {"cpu_s": 1e300},
        {"cpu_s": -1},
        {"process": ""},
        {"process": "x" * 1000},
        {"spans": {"ended": "many"}},
        {"data": []},
        {"data": {"load_started": "now"}},
        {"data": {"load_started": 5}},
        {"data": {**LOAD, "sessions": {"running": 1}}},
        {"data": {**LOAD, "good_calls": None}},
        {"data": {**LOAD, "calls": 3}},
        {"data": {"sessions": None}},
        {"data": {"good_calls": None, "calls": None}},
        {"data": {**LOAD, "demand": {"f1": None}}},
        {"kind": "replica", "data": {"running": "yes"}},
        {"kind": "gateway", "data": {"replicas": []}},
        {"kind": "gateway", "data": {"replicas": {"r0": {}}}},
    ],
)
def test_wrong_types_and_impossible_numbers_are_refused(changes: dict[str, Any]) -> None:
    if changes.get("at") == 10**400:
        body = b'{"process": "locust", "incarnation": 1, "kind": "load", "at": 1' + b"0" * 400 + b"}"
    else:
        body = msgspec.json.encode({**POST, **changes})
    with pytest.raises(msgspec.MsgspecError):
        decode_counters(body)
