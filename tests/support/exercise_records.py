"""Records of an exercise: two fault periods, a false notice, beliefs, a repair, notes with markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.hand_records import hand_run, injected
from tests.support.record_builder import RecordBuilder, migrated

__all__ = ["BEGAN_S", "MARKUP", "exercise_run", "fact", "open_exercise"]

BEGAN_S = 5.0
"""When the exercise of `exercise_run` started, seconds since the start of the load."""

MARKUP = "# heading | cell `code` <script>alert(1)</script>\n[x](javascript:y) **bold**"


def fact(
    record: RecordBuilder, t_s: float, event: str, who: str = "", text: str = "", role: str = "", **data: Any
) -> None:
    """A fact at `t_s` seconds since the start of the exercise. The role of a person is `responder` if not given."""
    role = role or ("responder" if who else "")
    record.event("exercise", BEGAN_S + t_s, event=event, who=who, role=role, text=text, data=data)


def open_exercise(record: RecordBuilder) -> None:
    """The facts from the opening to the start."""
    findings = [{"id": "f1", "text": "the breaker opens"}, {"id": "f2", "text": "the pool is drained"}]
    steps = [{"id": "s1", "label": "a pool goes", "kind": "kill", "at_s": 30.0, "for_s": None}]
    fact(
        record,
        -4.0,
        "opened",
        title="Two pools, one evening",
        name="two-pools-evening",
        source="scenario",
        family="loss",
        length_s=600.0,
        drawn=None,
        briefing="You are on call.",
        description="A pool is lost, then a replica hangs.",
        findings=findings,
        steps=steps,
    )
    fact(record, -3.0, "entered", "Mia", role="gamemaster")
    fact(record, -2.0, "entered", "Ada")
    fact(record, -2.0, "entered", "Bo", role="audience")
    fact(record, 0.0, "started", "Mia", role="gamemaster")


def exercise_run(path: Path) -> RecordBuilder:
    """Period 1: `h1`, a pool, from 35 s to 46 s, repaired. Period 2: `h2`, a replica, from 65 s to 70 s, not."""
    record = hand_run(path)
    open_exercise(record)
    fact(record, 10.0, "noticed", "Bo", "is this normal?", role="audience")
    injected(record, "h1", 40.0, 51.0)
    for index in range(5):
        ups = migrated(40.01, resumed=40.84, sent=39.4, passed_on=3)
        record.call(f"m{index}", 0, 39.4, gaps={3: 0.9}, ups=ups)
        record.session(f"m{index}", 39.4, 41.0)
    fact(
        record,
        35.1,
        "injected",
        text="h1: kill on tpu-0, tpu-1",
        fault="h1",
        step="s1",
        kind="kill",
        targets=["tpu-0", "tpu-1"],
        params={},
        cause="pool_lost",
        components=["replica:tpu-0", "replica:tpu-1", "pool:tpu", "cloud:gcp"],
    )
    fact(record, 35.2, "step", step="s1", state="played", fault="h1")
    fact(record, 37.1, "noticed", "Ada", "errors go up")
    fact(record, 38.1, "belief", "Ada", "it is the retries", n=1, cause="retries", component="load")
    fact(record, 38.5, "held", "Mia", role="gamemaster")
    fact(record, 39.5, "resumed", "Mia", role="gamemaster")
    fact(record, 41.1, "belief", "Ada", "no, the pool", n=2, cause="pool_lost", component="pool:tpu")
    fact(record, 42.0, "question", "A customer", "Are you down?", id="q1", answer_within_s=2.0)
    fact(
        record, 43.1, "operation", "Ada", "restart tpu-0", n=1, operation="restart", arguments={}, ok=False, repairs=[]
    )
    fact(record, 45.1, "operation", "Ada", "add pool spare", n=2, operation="add_pool", arguments={}, repairs=["h1"])
    fact(record, 46.1, "reverted", text="h1: kill", fault="h1", why="repair", operation=2)
    fact(record, 47.0, "answer", "Ada", "Not any more", id="q1")
    fact(record, 48.0, "note", "Bo", MARKUP, role="audience")
    fact(record, 49.0, "action", "Ada", "alert on open breakers")
    fact(record, 50.0, "note", "Ada", "TODO: write a runbook")
    fact(record, 51.0, "finding", "Mia", role="gamemaster", id="f1", found=True)
    injected(record, "h2", 70.0, 75.0, ("gpu-1",), "freeze")
    fact(
        record,
        65.1,
        "injected",
        text="h2: freeze on gpu-1",
        fault="h2",
        step="",
        kind="freeze",
        targets=["gpu-1"],
        cause="replica_hangs",
        components=["replica:gpu-1", "pool:gpu"],
    )
    fact(record, 66.0, "hint", text="look at gpu", id="g1")
    fact(record, 70.0, "reverted", text="h2: freeze", fault="h2", why="time")
    fact(record, 90.0, "ended", "Mia", "enough", role="gamemaster", why="the game master ended it")
    fact(record, 92.0, "restored", text="2 faults", verified=True, faults=2)
    return record
