"""How fast people, the system and the alerts were, for each fault period."""

from __future__ import annotations

import math
from typing import Any

from reports.gameday.reading import read_exercise
from reports.gameday.times import Time, false_notices, people_times, system_times


def row(t_s: float, event: str, who: str = "", **data: Any) -> dict[str, Any]:
    return {"event": event, "who": who, "role": "", "text": "", "data": data, "t_s": t_s}


def injected(t_s: float, fault: str) -> dict[str, Any]:
    return row(t_s, "injected", fault=fault, kind="kill", cause="replica_down", components=["replica:a"])


def seconds(times: list[Time], period: int = 1) -> dict[str, float | None]:
    return {time.what: time.seconds for time in times if time.period == period}


RIGHT = {"n": 2, "cause": "replica_down", "component": "replica:a"}
TWO_PERIODS = [
    row(5.0, "noticed", "Ada"),
    injected(10.0, "h1"),
    row(14.0, "noticed", "Ada"),
    row(16.0, "belief", "Ada", n=1, cause="retries", component="load"),
    row(20.0, "belief", "Ada", **RIGHT),
    row(25.0, "operation", "Ada", n=1, operation="restart", repairs=["h1"]),
    row(26.0, "reverted", fault="h1", why="repair", operation=1),
    row(110.0, "noticed", "Bo"),
    injected(200.0, "h2"),
    row(230.0, "reverted", fault="h2", why="by hand"),
    row(235.0, "noticed", "Ada"),
]


def test_each_period_has_the_times_of_people() -> None:
    times = people_times(read_exercise(TWO_PERIODS))
    assert seconds(times) == {"notice": 4.0, "diagnose": 10.0, "act": 15.0, "mitigate": 16.0}
    assert seconds(times, 2) == {"notice": 35.0, "diagnose": math.inf, "act": math.inf, "mitigate": math.inf}
    assert times[-1].text == "never: reverted by the game master"


def test_notices_before_a_fault_and_long_after_one_are_false() -> None:
    assert false_notices(read_exercise(TWO_PERIODS)) == [0, 2]


def test_somebody_who_says_what_it_is_has_noticed() -> None:
    times = people_times(read_exercise([injected(0.0, "h1"), row(7.0, "belief", "Ada", **RIGHT)]))
    assert seconds(times)["notice"] == seconds(times)["diagnose"] == 7.0


def test_people_have_acted_when_they_order_and_not_after_the_cold_start() -> None:
    done = row(70.0, "operation", "Ada", n=1, operation="add_pool", ordered_s=8.0)
    assert seconds(people_times(read_exercise([injected(0.0, "h1"), done])))["act"] == 8.0


def test_a_hold_counts_and_is_told() -> None:
    facts = [injected(0.0, "h1"), row(2.0, "held"), row(32.0, "resumed"), row(42.0, "noticed", "Ada")]
    notice = people_times(read_exercise(facts))[0]
    assert (notice.seconds, notice.text) == (42.0, "42 s, on hold for 30 s of it")


def test_a_period_is_mitigated_if_people_repaired_all_of_its_faults() -> None:
    facts = [
        injected(0.0, "h1"),
        injected(1.0, "h2"),
        row(9.0, "reverted", fault="h1", why="repair"),
        row(12.0, "reverted", fault="h2", why="time"),
    ]
    mitigate = people_times(read_exercise(facts))[-1]
    assert mitigate.text == "never: 1 of 2 faults: ended after its planned time"


def measured(name: str, value: float | str | None, why_not: str = "", note: str = "") -> dict[str, Any]:
    return {"name": name, "unit": "s", "value": value, "why_not": why_not, "note": note}


def test_the_times_of_the_system_are_those_of_the_window_with_the_fault() -> None:
    measures = [
        measured("time_to_detect", 0.2),
        measured("failover.max", "never"),
        measured("time_to_recover", None, "no baseline"),
    ]
    windows = [{"faults": [{"id": "h1"}], "measures": measures}, {"faults": [{"id": "x"}], "measures": []}]
    times = system_times(read_exercise([injected(0.0, "h1")]), windows)
    assert [(time.seconds, time.text) for time in times] == [
        (0.2, "200 ms"),
        (math.inf, "never"),
        (None, "not measured: no baseline"),
        (None, "not measured: the record has no fault window with these faults"),
        (None, "not measured: no alerts were received"),
    ]


def test_a_reaction_to_the_repair_is_no_detection() -> None:
    facts = [injected(0.0, "h1"), row(9.0, "reverted", fault="h1", why="repair")]
    windows = [{"faults": [{"id": "h1"}], "measures": [measured("time_to_detect", 10.0)]}]
    detect = system_times(read_exercise(facts), windows)[0]
    assert (detect.seconds, detect.text) == (math.inf, "never: its first reaction, after 10 s, followed the repair")


def test_before_the_analysis_the_system_has_no_times() -> None:
    times = system_times(read_exercise([injected(0.0, "h1")]), None)
    assert {(time.seconds, time.text) for time in times} == {(None, "not analysed yet")}
