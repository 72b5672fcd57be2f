"""Plays the timeline of an experiment in virtual time: faults act on a world in memory, the load is a coroutine."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.trace import NoOpTracer
from rich.console import Console

from chaos.experiment.model import Experiment, load_experiment
from chaos.experiment.timeline import steps
from chaos.runner.confirmation import LiveShare
from chaos.runner.early_end import EarlyEnd, Ended
from chaos.runner.fault_play import FaultPlay
from chaos.runner.load_control import LoadControl
from chaos.runner.progress import Progress
from chaos.runner.record_writer import EventLog
from chaos.runner.timeline_play import TimelinePlay
from chaos.testing.memory_world import MemoryWorld
from chaos.testing.mock_clock import run_in_virtual_time

__all__ = ["HEAD", "Conditions", "RecordedLoad", "Result", "Step", "experiment", "planned", "played"]

HEAD = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
gates: [sessions_lost == 0]
timeline:
  warmup: 5s
  baseline: 10s
  recovery: 20s
  drain: 8s
"""

ACTION_OF_STAGE = {"injected": "inject", "reverted": "revert"}

Step = tuple[float, str, str]
"""Seconds since the start of the load, action, and the phase or the fault; as in `chaos.experiment.timeline.Step`."""


def experiment(folder: Path, *faults: str, more: str = "") -> Experiment:
    path = folder / "mine.yaml"
    entries = "  faults:\n" + "".join(f"    - {fault}\n" for fault in faults) if faults else ""
    path.write_text(HEAD + entries + more)
    return load_experiment(path)


@dataclass
class Conditions:
    """What a run meets. Times are seconds."""

    world: MemoryWorld = field(default_factory=MemoryWorld)
    judging_s: float = 0.0
    not_steady: str = ""
    """What `steady_state` fails with."""
    not_carried: str = ""
    """Why the load of the baseline is not carried."""
    sessions_end_s: float | None = None
    """How long after the begin of the drain the last session ends; None: never."""
    load_starts: bool = True
    reported_after_s: float = 0.5
    """How long after its start the load generator reports that it has started."""
    interrupted_at_s: float | None = None


@dataclass
class Result:
    """What a run did. Times are seconds since the start of the load."""

    done: list[Step]
    """Everything that was done, with its time, in the order of the record."""
    ended: Ended | None
    stages: dict[str, list[str]]
    """The stages of each fault, by id."""
    commands: list[tuple[float, str]]
    """Each command to the load generators, with its time."""
    lasted_s: float
    zero: float
    """The start of the load, by the clock of the loop."""

    def phases(self) -> list[tuple[str, float]]:
        return [(what, at_s) for at_s, action, what in self.done if action == "phase"]


class RecordedLoad(LoadControl):
    """Keeps the time of each command."""

    def __init__(self) -> None:
        self.commands: list[tuple[float, str]] = []
        super().__init__()

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "command":
            self.commands.append((asyncio.get_running_loop().time(), value))
        super().__setattr__(name, value)


def played(made: Experiment, folder: Path, conditions: Conditions | None = None) -> Result:
    return run_in_virtual_time(_played(made, folder, conditions or Conditions()))


async def _played(made: Experiment, folder: Path, conditions: Conditions) -> Result:
    loop = asyncio.get_running_loop()

    def wall_ns() -> int:
        return round(loop.time() * 1e9)

    load, early, watch = RecordedLoad(), EarlyEnd(), LiveShare(loop.time)
    events = EventLog(folder / "events.jsonl", wall_ns)
    progress = Progress(Console(), "", quiet=True, clock=loop.time)
    started = loop.time() + 1.0

    def start_analysis() -> None:
        events.write("analysis")

    async def judge_steady_state() -> str:
        events.write("judge_steady_state")
        await asyncio.sleep(conditions.judging_s)
        return conditions.not_steady

    async def generator() -> None:
        """The load generator: it starts, reports, ends its sessions in the drain."""
        if not conditions.load_starts:
            return
        await asyncio.sleep(started - loop.time() + conditions.reported_after_s)
        load.started_ns = round(started * 1e9)
        load.started.set()
        while load.command != "drain":
            watch.observe({"good_calls": 10 * loop.time(), "calls": {"sent": 10 * loop.time()}})
            await asyncio.sleep(0.25)
        if conditions.sessions_end_s is not None:
            await asyncio.sleep(conditions.sessions_end_s)
            load.done.set()

    def not_carried(begin_s: float, end_s: float) -> str:
        assert begin_s < end_s == loop.time()
        return conditions.not_carried

    timeline = TimelinePlay(
        made,
        {
            entry.id: FaultPlay(
                entry.fault,
                conditions.world,
                events,
                NoOpTracer(),
                pools=list(entry.pools),
                params=entry.params,
                share=entry.share,
                only=entry.only,
                traits=entry.spec.traits().recorded(),
                say=progress.say,
            )
            for entry in made.faults
        },
        load,
        early,
        watch,
        events,
        progress,
        judge_steady_state=judge_steady_state,
        on_drain=start_analysis,
        load_log=lambda: "\n    locust: no such module",
        not_carried=not_carried,
        clock=loop.time,
        wall_ns=wall_ns,
    )
    generating = asyncio.create_task(generator())
    if conditions.interrupted_at_s is not None:
        loop.call_at(started + conditions.interrupted_at_s, early.end, "interrupted", "interrupted by SIGINT", 130)
    ended: Ended | None = None
    try:
        await timeline.play()
    except Ended as error:
        ended = error
    finally:
        await timeline.release()
        over = loop.time()
        generating.cancel()
        events.close()
    return _result(folder, load, started, over, ended)


def _result(folder: Path, load: RecordedLoad, started: float, over: float, ended: Ended | None) -> Result:
    done: list[Step] = []
    stages: dict[str, list[str]] = {}
    for line in (folder / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        at_s = round(event["at"] / 1e9 - started, 6)
        match event["type"]:
            case "phase":
                done.append((at_s, "phase", event["phase"]))
            case "confirmation":
                done.append((at_s, "confirm_metastable", ""))
            case "analysis" | "judge_steady_state" as action:
                done.append((at_s, action, ""))
            case "fault":
                stages.setdefault(event["id"], []).append(event["stage"])
                if event["stage"] in ACTION_OF_STAGE:
                    done.append((at_s, ACTION_OF_STAGE[event["stage"]], event["id"]))
    commands = [(round(at - started, 6), command) for at, command in load.commands]
    return Result(done, ended, stages, commands, round(over - started, 6), started)


def planned(made: Experiment) -> list[Step]:
    """The steps of the timeline, without the end."""
    return [(step.at_s, step.action, step.what) for step in steps(made) if step.action != "end"]
