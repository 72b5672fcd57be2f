"""What the statistics of a real gateway said, and the connections that the kernel counted."""

from __future__ import annotations

from typing import Any

import pytest

from reports.record.gateway_statistics import GatewayStatistics, UpstreamPost, read_statistics
from reports.record.reader import Record, read_record
from tests.support.foreign_records import ForeignRecord


def record_of(foreign: ForeignRecord) -> Record:
    return read_record(foreign.write())


def test_the_statistics_are_read_in_the_order_written(foreign: ForeignRecord) -> None:
    foreign.told(1.0, gpu_0=(4, 0, True), tpu_0=(3, 1, None))
    foreign.told(2.0)
    first, second = record_of(foreign).upstreams
    assert first.at_s == pytest.approx(1.0)
    assert first.replicas == {"gpu-0": UpstreamPost(4, 0, True), "tpu-0": UpstreamPost(3, 1, None)}
    assert (first.refused, second.replicas, second.refused) == (1, {}, None)


@pytest.mark.parametrize(("counts", "refused"), [((2, 3), 5), ((2, None), None), ((None, None), None), ((), None)])
def test_the_refused_attempts_are_known_if_all_are(counts: tuple[int | None, ...], refused: int | None) -> None:
    posts = {f"r{n}": UpstreamPost(None, count, None) for n, count in enumerate(counts)}
    assert GatewayStatistics(0.0, 0, posts).refused == refused


def test_a_state_without_a_field_does_not_tell_it() -> None:
    (one,) = read_statistics([{"type": "upstreams", "at": 5, "states": {"gpu-0": {}}}, {"type": "run", "at": 6}], 0)
    assert one.replicas == {"gpu-0": UpstreamPost(None, None, None)}


@pytest.mark.parametrize(("told", "exact"), [(None, True), (True, True), (False, False)])
def test_counts_are_exact_unless_the_gateway_said_otherwise(
    foreign: ForeignRecord, told: bool | None, exact: bool
) -> None:
    foreign.told(1.0, exact=told, gpu_0=(1, 0, True))
    assert [one.exact for one in record_of(foreign).upstreams] == [exact]


@pytest.mark.parametrize(
    "states",
    [
        None,
        [],
        {"gpu-0": None},
        {"gpu-0": {"refused": "3"}},
        {"gpu-0": {"refused": True}},
        {"gpu-0": {"refused": -1}},
        {"gpu-0": {"attempts": 1.5}},
        {"gpu-0": {"available": 1}},
    ],
)
def test_statistics_of_a_wrong_type_are_skipped_and_named(foreign: ForeignRecord, states: Any) -> None:
    foreign.event("upstreams", 1.0, states=states)
    foreign.told(2.0, gpu_0=(1, 0, True))
    record = record_of(foreign)
    assert len(record.upstreams) == 1
    assert any("events.jsonl cannot be read" in text for text in record.damage)


def test_refused_connections_are_read_with_their_times(foreign: ForeignRecord) -> None:
    foreign.refusals((0.0, 0), (21.5, 4))
    assert record_of(foreign).refused == [(0.0, 0), (pytest.approx(21.5), 4)]


@pytest.mark.parametrize("count", [None, "4", -1, 1.5, True])
def test_a_count_of_a_wrong_type_is_skipped_and_named(foreign: ForeignRecord, count: Any) -> None:
    foreign.event("refused", 1.0, count=count)
    record = record_of(foreign)
    assert record.refused == []
    assert any("events.jsonl cannot be read" in text for text in record.damage)


@pytest.mark.parametrize(
    ("target", "foreign_gateway"),
    [
        ({"stack": "two-pools"}, False),
        ({"stack": "two-pools", "gateway": {"nginx": {"preset": "tuned"}}}, True),
        ({"url": "http://127.0.0.1:4000", "model": "m", "replicas": {"stack": "x", "first_port": 1}}, True),
        (None, False),
    ],
)
def test_a_record_says_whether_the_gateway_is_not_ours(
    foreign: ForeignRecord, target: Any, foreign_gateway: bool
) -> None:
    foreign.experiment["target"] = target
    assert record_of(foreign).foreign_gateway is foreign_gateway
