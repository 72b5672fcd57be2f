"""The same seed gives the same plan and the same sessions as before: digests of schedules and drawn sessions.

The stored digests were computed at commit 2d86387, before modules were moved and renamed. A change that is meant to
change what is drawn writes them again: `python -m tests.house.test_digests`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from chaos.experiment.model import Experiment, experiment_names, load_experiment
from chaos.experiment.timeline import steps
from loadprofiles.demand import Order, demand_of
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.sessions.profile_file import PROFILES, load_profile
from loadprofiles.sessions.session import Agent, Call, CallResult, Done, Fork, Pause, SessionPlan
from reports.shared.documents import document_names

DIGESTS: Final = Path(__file__).with_name("digests.json")
SEEDS: Final = (7, 20261)
SESSIONS: Final = 10
SURGE_SESSIONS: Final = 4
SURGE_AT_S: Final = 20.0

EVERY_SCHEDULE: Final = """\
brownout: 1
name: schedules
title: every way an entry of the timeline can occur
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
timeline:
  faults:
    - {at: 1s, for: 1s, random: 30s, times: 4, latency: {count: one, delay: 50ms}}
    - {at: 40s, for: 2s, every: 5s, one_by_one: true, cut: {pool: [tpu, nvidia], how: fin, share: 30%}}
    - {at: 80s, for: 2s, every: 4s, times: 3, stall: {cloud: [aws, gcp], count: majority}}
    - {at: 100s, for: 5s, kill: {count: minority}}
gates: [sessions_lost == 0]
"""
"""Repeated, random and one-by-one faults, and each way to draw targets; no shipped experiment has all of them."""


def digest(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()


def schedule(experiment: Experiment) -> list[Any]:
    """The phases, injections and reverts, and what each fault affects."""
    planned = [
        (step.at_s, step.action, step.what)
        for step in steps(experiment)
        if step.action in ("phase", "inject", "revert", "end")
    ]
    faults = [
        (f.id, f.kind, f.at_s, f.for_s, list(f.targets), list(f.pools), f.params, f.share, f.only, f.seed)
        for f in experiment.faults
    ]
    return [planned, faults]


def answer(call: Call) -> CallResult:
    text = "text" * call.max_tokens
    if call.tools:
        return CallResult(True, "", (f'{{"input":"{text}"}}',), "ok", output_tokens=call.max_tokens)
    return CallResult(True, text, (), "ok", output_tokens=call.max_tokens)


def walk(agent: Agent) -> list[Any]:
    """Every step of an agent and of the agents that it forks, with a digest of the conversation at each call."""
    found: list[Any] = []
    conversation = blake2b(digest_size=12)
    step = agent.next(0.0, None)
    while not isinstance(step, Done):
        result = None
        if isinstance(step, Call):
            for message in step.messages:
                conversation.update(repr((message.role, message.text)).encode())
            shape = [step.agent, step.turn, step.max_tokens, step.tools, step.stream, str(step.marker)]
            found.append(["call", *shape, conversation.hexdigest()])
            result = answer(step)
        elif isinstance(step, Pause):
            found.append(["pause", step.seconds, step.why, step.tool])
        elif isinstance(step, Fork):
            found.append(["fork", [walk(child) for child in step.agents]])
        step = agent.next(0.0, result)
    return [*found, ["done", step.succeeded]]


def drawn(plans: Iterator[SessionPlan], count: int) -> list[Any]:
    return [
        [p.index, p.id, p.tenant, p.tier, p.fault, p.start_at_s, p.calls_planned, walk(p.agent)]
        for p in islice(plans, count)
    ]


def digests_of_experiment(name: str) -> dict[str, str]:
    return {f"schedule {name} {seed}": digest(schedule(load_experiment(name, seed=seed))) for seed in SEEDS}


def digests_of_file(folder: Path) -> dict[str, str]:
    path = folder / "schedules.yaml"
    path.write_text(EVERY_SCHEDULE)
    return {f"schedule of a file {seed}": digest(schedule(load_experiment(path, seed=seed))) for seed in SEEDS}


def digests_of_profile(name: str) -> dict[str, str]:
    found = {}
    for seed in SEEDS:
        load = LoadConfig("", "", load_profile(name), f"s{seed}", seed=seed)
        surge = demand_of(Order("f1", "surge", {"factor": 3.0}, seed))
        found[f"sessions {name} {seed}"] = digest(drawn(load.plans(), SESSIONS))
        found[f"surge {name} {seed}"] = digest(drawn(load.extra_plans(surge, SURGE_AT_S), SURGE_SESSIONS))
    return found


def stored() -> dict[str, str]:
    found: dict[str, str] = json.loads(DIGESTS.read_text())
    return found


@pytest.mark.parametrize("name", experiment_names())
def test_the_same_seed_gives_the_same_schedule(name: str) -> None:
    before = stored()
    for key, now in digests_of_experiment(name).items():
        assert before[key] == now, key


def test_the_same_seed_gives_the_same_random_times_and_targets(tmp_path: Path) -> None:
    before = stored()
    for key, now in digests_of_file(tmp_path).items():
        assert before[key] == now, key


@pytest.mark.parametrize("name", document_names(PROFILES))
def test_the_same_seed_gives_the_same_sessions(name: str) -> None:
    before = stored()
    for key, now in digests_of_profile(name).items():
        assert before[key] == now, key


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        every = digests_of_file(Path(place))
    for experiment in experiment_names():
        every |= digests_of_experiment(experiment)
    for profile in document_names(PROFILES):
        every |= digests_of_profile(profile)
    DIGESTS.write_text(json.dumps(every, indent=1) + "\n")
