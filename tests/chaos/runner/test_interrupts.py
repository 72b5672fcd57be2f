"""Signals to a run: the first ends it early, a second one and the end of the patience kill every process, once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import uvloop

from chaos.runner.early_end import EarlyEnd
from chaos.runner.interrupts import GENTLE_S, NOW_S, Interrupts
from chaos.testing.mock_clock import run_in_virtual_time


class Timer:
    """In place of `threading.Timer`: counts what was started and cancelled."""

    started: list[Timer]
    cancelled: int

    def __init__(self, seconds: float, action: Callable[..., None], arguments: Sequence[str]) -> None:
        self.seconds, self.action, self.arguments = seconds, action, arguments
        self.daemon = False

    def start(self) -> None:
        assert self.daemon, "it must not hold up the exit of the process"
        Timer.started.append(self)

    def cancel(self) -> None:
        Timer.cancelled += 1


class Rig:
    def __init__(self, more_s: float = 0.0) -> None:
        self.at_first: list[str] = []
        self.killed_at: list[float] = []
        self.said: list[str] = []
        self.early = EarlyEnd(lambda: self.at_first.append("stop"))
        self.interrupts = Interrupts(
            self.early,
            lambda: self.killed_at.append(asyncio.get_running_loop().time()),
            self.said.append,
            afterwards="look: brownout heal\n",
            more_s=lambda: more_s,
        )


@pytest.fixture(autouse=True)
def timer(monkeypatch: pytest.MonkeyPatch) -> None:
    Timer.started, Timer.cancelled = [], 0
    monkeypatch.setattr("threading.Timer", Timer)


def test_the_first_signal_ends_the_run_early_and_kills_nothing_at_once() -> None:
    async def scenario() -> Rig:
        rig = Rig()
        rig.interrupts.on_signal(signal.SIGINT)
        assert rig.at_first == ["stop"], "in the same moment, not when the run next looks"
        await asyncio.sleep(GENTLE_S - 0.1)
        rig.interrupts.close()
        await asyncio.sleep(60)
        return rig

    rig = run_in_virtual_time(scenario())
    assert [(ended.event, ended.exit_code) for ended in rig.early.reasons] == [("interrupted", 130)]
    assert rig.killed_at == []
    assert [timer.seconds for timer in Timer.started] == [GENTLE_S + NOW_S], "also if the event loop does not go on"
    assert Timer.cancelled == 1


def test_a_run_that_does_not_end_after_the_first_signal_is_killed() -> None:
    async def scenario() -> tuple[Rig, float]:
        rig = Rig()
        begun = asyncio.get_running_loop().time()
        rig.interrupts.on_signal(signal.SIGTERM)
        await asyncio.sleep(60)
        return rig, begun

    rig, begun = run_in_virtual_time(scenario())
    assert rig.killed_at == [begun + GENTLE_S]
    assert [timer.seconds for timer in Timer.started] == [GENTLE_S + NOW_S, NOW_S]
    assert GENTLE_S + NOW_S < 5.0, "the process is gone within 5 s"


def test_a_second_signal_kills_at_once_and_further_ones_change_nothing() -> None:
    async def scenario() -> tuple[Rig, float]:
        rig = Rig()
        rig.interrupts.on_signal(signal.SIGINT)
        await asyncio.sleep(1.0)
        at = asyncio.get_running_loop().time()
        for _ in range(3):
            rig.interrupts.on_signal(signal.SIGINT)
        await asyncio.sleep(60)
        rig.interrupts.close()
        return rig, at

    rig, at = run_in_virtual_time(scenario())
    assert rig.killed_at == [at]
    assert [timer.seconds for timer in Timer.started] == [GENTLE_S + NOW_S, NOW_S]
    assert NOW_S < 2.0
    assert Timer.cancelled == 2


def test_a_signal_after_another_early_end_is_a_first_signal() -> None:
    async def scenario() -> Rig:
        rig = Rig()
        rig.early.end("aborted", "a guardrail", 4)
        rig.interrupts.on_signal(signal.SIGINT)
        rig.interrupts.close()
        return rig

    rig = run_in_virtual_time(scenario())
    assert rig.at_first == ["stop"]
    assert rig.killed_at == []
    assert [ended.exit_code for ended in rig.early.reasons] == [4, 130]


def test_after_the_run_signals_do_what_they_did_before() -> None:
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_IGN,
    }
    before = {signum: signal.signal(signum, handler) for signum, handler in handlers.items()}

    async def scenario() -> Rig:
        rig = Rig()
        of_loop = signal.getsignal(signal.SIGINT)
        rig.interrupts.install()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, "nohup"
        signal.raise_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while not rig.interrupts.received:
                await asyncio.sleep(0.001)
        rig.interrupts.close()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) == of_loop
        return rig

    try:
        rig = uvloop.run(scenario())
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
    assert [ended.why for ended in rig.early.reasons] == ["interrupted by SIGTERM"]


def test_a_process_that_exits_by_itself_says_how_to_see_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        rig = Rig()
        rig.interrupts.on_signal(signal.SIGINT)
        rig.interrupts.on_signal(signal.SIGINT)

    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    run_in_virtual_time(scenario())
    timer = Timer.started[-1]
    timer.action(*timer.arguments)
    assert codes == [130]
    assert capfd.readouterr().out == (
        "interrupted: ended before the record was closed; the shepherd kills every process\nlook: brownout heal\n"
    )


def test_commands_that_revert_a_fault_make_each_time_longer() -> None:
    async def scenario() -> Rig:
        rig = Rig(more_s=10.0)
        rig.interrupts.on_signal(signal.SIGINT)
        await asyncio.sleep(GENTLE_S + 9.9)
        assert rig.killed_at == []
        await asyncio.sleep(0.2)
        return rig

    assert len(run_in_virtual_time(scenario()).killed_at) == 1
    assert [timer.seconds for timer in Timer.started[-2:]] == [GENTLE_S + NOW_S + 20.0, NOW_S + 10.0]
