"""The faults of an exercise: which of them a belief may be about."""

from __future__ import annotations

from chaos.gameday.core.fault_log import FaultLog, FaultRecord
from chaos.gameday.core.orders import Inject
from reports.gameday.periods import AFTERMATH_S


def log(*times: tuple[str, float, float | None]) -> FaultLog:
    made = FaultLog()
    for name, begin_s, end_s in times:
        order = Inject("", "kill", {}, None, "")
        made.begin(FaultRecord(name, order, ("tpu-0",), {}, "down", ("replica:tpu-0",), (), begin_s))
        if end_s is not None:
            made.end(name, "by hand", end_s)
    return made


def about(made: FaultLog, t_s: float) -> list[str]:
    return [truth.fault for truth in made.about(t_s)]


def test_a_belief_is_about_faults_that_are_active_or_ended_shortly_before() -> None:
    made = log(("h1", 10, 20), ("h2", 100, 150), ("h3", 180, None))
    assert about(made, 200) == ["h2", "h3"]
    assert about(made, 150 + AFTERMATH_S) == ["h3"]


def test_a_late_belief_is_about_the_faults_of_the_last_period() -> None:
    made = log(("h1", 10, 20), ("h2", 100, 150), ("h3", 120, 140))
    assert about(made, 900) == ["h2", "h3"]


def test_before_the_first_fault_a_belief_is_about_none() -> None:
    assert about(log(), 5) == []


def test_a_fault_ends_once() -> None:
    made = log(("h1", 10, 20))
    assert made.end("h1", "end", 30) is None
    assert made.all["h1"].ended_by == "by hand"
