"""Connections that were refused on this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from chaos.runner.refusals import Refusals, refused_here

SNMP = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm AttemptFails EstabResets
Tcp: 1 FAILS 7
Udp: InDatagrams
Udp: 4
"""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (SNMP.replace("FAILS", "12"), 12),
        (SNMP.replace("FAILS", "many"), None),
        (SNMP.replace("AttemptFails", "Renamed"), None),
        ("Tcp: AttemptFails\n", None),
        ("", None),
    ],
)
def test_the_kernels_number_is_read_or_unknown(tmp_path: Path, text: str, count: int | None) -> None:
    (tmp_path / "snmp").write_text(text)
    assert refused_here(tmp_path / "snmp") == count
    assert refused_here(tmp_path / "none") is None


def test_a_refused_connection_of_this_machine_is_counted() -> None:
    before = refused_here()
    if before is None:
        pytest.skip("the kernel of this machine does not say")
    with socket.socket() as unused, socket.socket() as client:
        unused.bind(("127.0.0.1", 0))
        assert client.connect_ex(unused.getsockname()) != 0
    after = refused_here()
    assert after is not None
    assert after > before


def looks(*counts: int | None) -> tuple[Refusals, list[int | None]]:
    numbers = iter(counts)
    refusals = Refusals(lambda: next(numbers))
    return refusals, [refusals.look() for _ in counts]


def test_the_count_is_that_since_the_first_look_and_told_when_it_changes() -> None:
    assert looks(100, 100, 103, 103, 104)[1] == [0, None, 3, None, 4]


def test_a_machine_without_the_number_tells_nothing() -> None:
    assert looks(None, None)[1] == [None, None]
    assert looks(100, None, 102)[1] == [0, None, 2]


def test_the_runners_own_refused_connections_are_left_out() -> None:
    numbers = iter((100, 105, 105))
    refusals = Refusals(lambda: next(numbers))
    refusals.own = 2  # before the first look
    assert refusals.look() == 0
    refusals.own = 5
    assert refusals.look() == 2
    refusals.own = 50  # more than the kernel has counted
    assert refusals.look() == 0
