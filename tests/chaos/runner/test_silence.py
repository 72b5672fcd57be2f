"""A process that posts no counters any more is noticed; a machine that stands still for a while silences nobody."""

from __future__ import annotations

import pytest

from chaos.runner.silence import HUNG_S, LOOK_EVERY_S, STARVED_S, STOPPED_S, Silence, SilenceWatch, silence_text
from chaos.testing.mock_clock import MockClock


class Rig:
    """A watch with a clock, the state of each process, and the processes that a fault silences."""

    def __init__(self) -> None:
        self.clock = MockClock()
        self.states: dict[str, str] = {}
        self.excused: set[str] = set()
        self.waits_share: float | None = 0.0
        """Share of the time that every process waits for a CPU. None: not known."""
        self.watch = SilenceWatch(
            lambda name: self.states.get(name, "running"),
            lambda name: name in self.excused,
            lambda name: None if self.waits_share is None else self.clock() * self.waits_share,
            self.clock,
        )

    def run(self, seconds: float, *posting: str) -> tuple[float, Silence] | None:
        """Look for so many seconds, while these processes post. Returns after how long one was silent, and which."""
        for step in range(int(seconds / LOOK_EVERY_S)):
            for name in posting:
                self.watch.posted(name, 1)
            if (silence := self.watch.look()) is not None:
                return step * LOOK_EVERY_S, silence
            self.clock.advance(LOOK_EVERY_S)
        return None


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    assert rig.run(5.0, "locust", "gateway") is None
    return rig


def test_a_stopped_process_is_silent_after_3_seconds(rig: Rig) -> None:
    rig.states["locust"] = "stopped"
    found = rig.run(60.0, "gateway")
    assert found is not None
    after_s, silence = found
    assert after_s == pytest.approx(STOPPED_S, abs=2 * LOOK_EVERY_S)
    assert (silence.process, silence.stopped) == ("locust", True)


@pytest.mark.parametrize(
    ("waits_share", "limit_s"), [(0.0, HUNG_S), (0.2, HUNG_S), (0.5, STARVED_S), (1.0, STARVED_S), (None, STARVED_S)]
)
def test_a_running_process_is_silent_later_if_it_waits_for_a_cpu(
    rig: Rig, waits_share: float | None, limit_s: float
) -> None:
    rig.waits_share = waits_share
    found = rig.run(60.0, "gateway")
    assert found is not None
    after_s, silence = found
    assert after_s == pytest.approx(limit_s, abs=2 * LOOK_EVERY_S)
    assert after_s < 5.0 or limit_s == STARVED_S
    assert (silence.process, silence.stopped) == ("locust", False)


def test_a_late_post_ends_the_suspicion(rig: Rig) -> None:
    rig.waits_share = 1.0
    assert rig.run(4.0, "gateway") is None
    rig.waits_share = 0.0
    assert rig.run(1.0, "gateway", "locust") is None
    found = rig.run(60.0, "gateway")
    assert found is not None
    assert found[0] == pytest.approx(HUNG_S, abs=2 * LOOK_EVERY_S)


def test_a_process_that_was_stopped_for_2_seconds_is_not_silent(rig: Rig) -> None:
    rig.states["locust"] = "stopped"
    assert rig.run(2.0, "gateway") is None
    rig.states["locust"] = "running"
    assert rig.run(5.0, "gateway", "locust") is None


def test_a_standstill_of_the_whole_machine_silences_nobody(rig: Rig) -> None:
    rig.clock.advance(120.0)
    assert rig.run(1.0) is None
    assert rig.run(60.0, "gateway", "locust") is None


def test_many_short_standstills_of_the_runner_silence_nobody(rig: Rig) -> None:
    rig.states["locust"] = "stopped"  # as everything else, the runner too: it looks once between two standstills
    for _ in range(5):
        rig.clock.advance(20.0)
        assert rig.watch.look() is None
    rig.states["locust"] = "running"
    assert rig.run(60.0, "gateway", "locust") is None


def test_a_process_that_a_fault_stops_is_not_silent_and_has_time_to_post_again(rig: Rig) -> None:
    rig.states["locust"] = "stopped"
    rig.excused.add("locust")
    assert rig.run(60.0, "gateway") is None
    rig.excused.clear()
    assert rig.run(STOPPED_S - LOOK_EVERY_S, "gateway") is None
    assert rig.run(1.0, "gateway") is not None


def test_a_process_that_exited_or_said_farewell_is_not_watched(rig: Rig) -> None:
    rig.watch.posted("locust", 1, final=True)
    rig.watch.exited("gateway", 1)
    assert rig.run(60.0) is None


def test_a_process_that_is_gone_is_left_to_those_who_see_its_exit(rig: Rig) -> None:
    rig.states["locust"] = "gone"
    assert rig.run(60.0, "gateway") is None


def test_a_restarted_process_is_watched_from_its_first_post(rig: Rig) -> None:
    rig.watch.exited("gateway", 1)
    assert rig.run(60.0, "locust") is None
    rig.watch.posted("gateway", 2)
    found = rig.run(60.0, "locust")
    assert found is not None
    assert found[1].process == "gateway"


def test_a_post_that_is_read_after_the_exit_does_not_bring_the_process_back(rig: Rig) -> None:
    rig.watch.exited("gateway", 1)
    rig.watch.posted("gateway", 1)
    assert rig.run(60.0, "locust") is None


def test_the_text_says_who_since_when_why_and_what_helps() -> None:
    text = silence_text(Silence("locust", 3.2, stopped=True), "load", 15.4, "\n    log: runs/x/logs/locust.log")
    assert text.splitlines()[0] == (
        "the load generator (locust) is silent: no counters for 3 s, since second 12 of the load"
    )
    assert "the process is stopped (as by kill -STOP), and no fault of the experiment did that" in text
    assert "what helps: " in text
    assert text.endswith("log: runs/x/logs/locust.log")
    other = silence_text(Silence("tpu-0", 10.0, stopped=False), "replica", 15.4, "")
    assert other.startswith("the replica (tpu-0) is silent: no counters for 10 s, since second 5 of the load")
    assert "stopped" not in other
