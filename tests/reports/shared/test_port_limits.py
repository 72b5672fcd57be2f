"""Which connections are dropped: by time, counted in sweeps, and by number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.shared.port_limits import Peer, PeerTable, PortLimits

LIMITS = PortLimits(request_s=2.0, idle_s=5.0, sweep_s=0.5, strangers=3, own=2)


def peer() -> Peer:
    return Peer(lambda: None)


def sweeps_until_dropped(table: PeerTable, one: Peer) -> int:
    for number in range(1, 100):
        if one in table.sweep():
            return number
    raise AssertionError("never dropped")


def own(table: PeerTable) -> Peer:
    one = peer()
    table.admit(one)
    table.trust(one)
    one.answered()
    return one


def test_a_stranger_has_the_time_of_one_request_whatever_it_sends() -> None:
    table, silent, chatty = PeerTable(LIMITS), peer(), peer()
    table.admit(silent)
    table.admit(chatty)
    for _ in range(3):
        chatty.received()
        chatty.answered()
        assert table.sweep() == []
    assert table.sweep() == [silent, chatty]
    assert len(table) == 0


def test_an_own_connection_may_be_idle_longer_than_a_request_may_take() -> None:
    table = PeerTable(LIMITS)
    assert sweeps_until_dropped(table, own(table)) == 10
    busy = own(table)
    busy.received()
    assert sweeps_until_dropped(table, busy) == 4


def test_bytes_within_a_request_do_not_prolong_it_and_each_request_has_its_own_time() -> None:
    table = PeerTable(LIMITS)
    one = own(table)
    for _ in range(5):
        for _ in range(3):
            one.received()
            assert table.sweep() == []
        one.answered()
    for _ in range(3):
        one.received()
        assert table.sweep() == []
    one.received()
    assert table.sweep() == [one]


def test_the_oldest_stranger_is_dropped_first_and_never_an_own_connection() -> None:
    table = PeerTable(LIMITS)
    trusted = own(table)
    strangers = [peer() for _ in range(5)]
    assert [table.admit(one) for one in strangers] == [None, None, None, strangers[0], strangers[1]]
    assert len(table) == 4
    assert table.trust(trusted) is None


def test_of_too_many_own_connections_the_one_idle_for_longest_is_dropped() -> None:
    table = PeerTable(LIMITS)
    idle, busy = own(table), own(table)
    busy.received()
    table.sweep()
    newest = peer()
    table.admit(newest)
    assert table.trust(newest) is idle
    assert len(table) == 2


@given(st.lists(st.sampled_from(["admit", "trust", "received", "answered", "forget", "sweep"]), max_size=60), st.data())
def test_the_numbers_stay_within_the_limits_whatever_happens(steps: list[str], data: st.DataObject) -> None:
    table, alive = PeerTable(LIMITS), dict[Peer, None]()
    for step in steps:
        gone: list[Peer | None] = []
        if step == "admit":
            one = peer()
            alive[one] = None
            gone = [table.admit(one)]
        elif step == "sweep":
            gone = list(table.sweep())
        elif alive:
            one = data.draw(st.sampled_from(list(alive)))
            if step == "trust":
                gone = [table.trust(one)]
                assert gone != [one]
            elif step == "forget":
                table.forget(one)
                del alive[one]
            else:
                getattr(one, step)()
        for one in filter(None, gone):
            del alive[one]
        assert len(table) == len(alive)
        assert sum(one.own for one in alive) <= LIMITS.own
        assert sum(not one.own for one in alive) <= LIMITS.strangers


def test_a_renewed_request_is_never_late_and_outlives_idle_connections() -> None:
    table = PeerTable(LIMITS)
    stream, idle, newest = own(table), own(table), peer()
    stream.received()
    for _ in range(4):
        stream.renew()
        assert table.sweep() == []
    table.admit(newest)
    assert table.trust(newest) is idle
