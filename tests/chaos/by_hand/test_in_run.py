"""Commands by hand in an experiment that is running, and experiments that they cannot reach."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.by_hand import in_run
from chaos.by_hand.control import ask
from chaos.by_hand.in_run import controls_of_run
from chaos.by_hand.runtime import entries
from chaos.runner.live_world import LiveWorld
from chaos.runner.run import Run
from chaos.runner.setup import Setup
from reports.shared.errors import UserError
from tests.support.hand_rig import PROFILE, STACK, HeldWorld, Recorded


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(in_run, "process_facts", lambda setup, last: {"gateway": None, "url": ""})
    return []


def run_of(folder: Path, ended: list[Any], *, stack: object = STACK) -> Any:
    return SimpleNamespace(
        experiment=SimpleNamespace(name="lose-tpu-pool", stack=stack, profile=PROFILE, seed=7),
        progress=SimpleNamespace(said=[]),
        folder=SimpleNamespace(path=folder, events=Recorded(folder / "events.jsonl")),
        plays={},
        last_counters={},
        early=SimpleNamespace(end=lambda *reason: ended.append(reason)),
    )


def reach(run: Any) -> Any:
    run.progress.say = run.progress.said.append
    setup = cast(Setup, SimpleNamespace(url="http://127.0.0.1:1", gateway_control_port=0))
    return controls_of_run(cast(Run, run), setup, cast(LiveWorld, HeldWorld()))


async def test_a_run_is_found_by_its_experiments_name_until_it_ends(tmp_path: Path, ended: list[Any]) -> None:
    async with reach(run_of(tmp_path, ended)):
        (entry,) = entries()
        assert (entry.name, entry.what) == ("lose-tpu-pool", "run")
        facts = await asyncio.to_thread(ask, entry, {"do": "status"})
        assert facts["what"] == "experiment lose-tpu-pool"
        await asyncio.to_thread(ask, entry, {"do": "abort"})
        assert ended == [("aborted", "aborted by hand", 4)]
    assert entries() == []
    assert list((tmp_path / "brownout").iterdir()) == []


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("why", ["folder", "socket", "file"])
async def test_a_run_that_commands_cannot_reach_goes_on(
    tmp_path: Path, ended: list[Any], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "folder":
        (tmp_path / "brownout").mkdir(mode=0o755)
    elif why == "socket":
        monkeypatch.setattr(in_run, "socket_path", lambda: tmp_path / ("s" * 120))
    else:
        monkeypatch.setattr(os, "link", full)
    run = run_of(tmp_path, ended)
    async with reach(run):
        assert "commands from another terminal cannot reach this run" in run.progress.said[0]


async def test_an_error_of_the_run_itself_is_not_taken_for_one_of_the_folder(tmp_path: Path, ended: list[Any]) -> None:
    run = run_of(tmp_path, ended)
    with pytest.raises(UserError, match="of the run"):
        async with reach(run):
            raise UserError("of the run")
    assert run.progress.said == []


async def test_a_run_without_replicas_of_ours_takes_no_commands(tmp_path: Path, ended: list[Any]) -> None:
    run = run_of(tmp_path, ended, stack=None)
    async with reach(run):
        assert entries() == []
