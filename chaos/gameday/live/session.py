"""A game day from its first page to its last: one process owns the stack, plays the exercise and serves the pages.

    pages     listen before the stack starts, so that a port in use is known at once; they stay for the review
    stack     `chaos.by_hand.up.Up`, whose guest the room is; it ends when everything is reverted and verified
    analysis  in a process of its own, as after a run; its times and the post-mortem are then on the pages

If this process dies, the shepherd reverts every fault and ends the stack, and the pages say that they are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chaos.by_hand.up import Up
from chaos.experiment.model import Experiment
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.roles import Role
from chaos.gameday.live.room import GameRoom
from chaos.gameday.server.page_server import PageServer
from chaos.gameday.server.pages import Pages
from chaos.gameday.server.serving import Serving
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.early_end import Ended, most_severe
from chaos.runner.record_writer import EventLog, RecordFull, RunFolder
from reports.gameday.review import times_of_report
from reports.shared.errors import BrownoutError

__all__ = ["POSTMORTEM", "GameDaySession", "Result"]

POSTMORTEM: Final = ("postmortem.html", "postmortem.md")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Result:
    """How a game day ended. `failed`: why the stack failed. `problem`: what could not be reverted or written."""

    played: bool
    failed: Ended | None
    problem: str


class GameDaySession:
    """One game day. `serve` returns when it is over and the review has ended.

    `exercise` is new. `experiment`: its target and load, under a name that tells nothing. `stay_s`: how long the pages
    stay after the end, seconds; None: until a signal comes. `say(text)` prints a line for the user; `on_links(links)`
    is called once the stack is ready.
    """

    def __init__(
        self,
        exercise: Exercise,
        experiment: Experiment,
        folder: RunFolder,
        serving: Serving,
        *,
        stay_s: float | None,
        say: Callable[[str], None],
        log: Callable[[str], None],
        on_links: Callable[[Mapping[Role, str]], None],
    ) -> None:
        assert experiment.stack is not None
        self._experiment = experiment
        self._folder = folder
        self._events = folder.events
        self._stay_s = stay_s
        self._say = say
        self._on_links = on_links
        self._loop = asyncio.get_running_loop()
        self.room = GameRoom(
            exercise,
            experiment.stack,
            folder.events,
            slo_ttft_s=experiment.slo.ttft_s,
            gateway=gateway_name(experiment),
            guardrails=experiment.guardrails,
            clock=awake_and_asleep_s,
            say=log,
            on_ready=self._ready,
            on_over=self._release_copies,
            on_failure=lambda error: self._up.early.end("failed", str(error), 5),
        )
        self._server = PageServer(self.room, serving, Pages.shipped())
        self._up = Up(experiment, folder, log, front=experiment.front, gateway_port=0, guest=self.room)
        self._up.collector.withhold()
        self.room.why_stopped = self._why_stopped

    async def serve(self) -> Result:
        """Serve the pages, play the exercise, show the review. Raises UserError if the port is in use."""
        await self._server.start()
        try:
            self.room.take(self.room.exercise.opened(awake_and_asleep_s()))
            failed = await self._up.serve()
            interrupted = self._up.interrupts.received
            problem = self.room.restored_problem
            if not self.room.played:
                return Result(False, failed, problem)
            if failed is not None:
                self._say(f"the stack has failed: {failed.why}")
            restored = "not everything could be reverted" if problem else "everything is reverted"
            self._say(f"the exercise is over, and {restored}; the post-mortem is being written")
            unwritten = await self._review()
            if not interrupted:
                await self._stay()
                await self._server.close()  # nothing can be noted any more
                again = await self._review_again()
                unwritten = unwritten if again is None else again
            return Result(True, failed, unwritten or problem)
        finally:
            await self._server.close()
            self._events.close()

    def _ready(self) -> None:
        self._on_links(self._server.links)

    def _why_stopped(self) -> str:
        """Why the stack ended before the exercise did, in one line without the path of a log."""
        reason = most_severe(self._up.early.reasons)
        why = "the game day was stopped" if reason is None else f"the game day was stopped: {reason.why}"
        return why.partition("\n")[0].partition("; log:")[0]

    async def _release_copies(self) -> None:
        """Copies of spans may tell the faults now."""
        await self._up.collector.release()

    # -- afterwards ---------------------------------------------------------------------------------------------------
    async def _review(self) -> str:
        """Analyse the record, and show the result. Returns why that was not possible; "" if it was."""
        self.room.pause_record()
        self._folder.close()
        try:
            return await self._analyse()
        finally:
            self._continue_record()

    async def _review_again(self) -> str | None:
        """As `_review`, if something was noted during the review: the post-mortem has it too. None: nothing was."""
        if not self.room.pause_record():
            return None
        self._events.close()
        self._say("the notes of the review are added to the post-mortem")
        return await self._analyse()

    def _continue_record(self) -> None:
        """What people note during the review belongs to the record. A full disk is no reason to end the pages."""
        try:
            self._events = EventLog(self._folder.events.path)
            self.room.continue_record(self._events)
        except RecordFull as error:
            self._say(f"what is noted now is not in the record: {error}")
            text = "What is noted now cannot be recorded: there is no space left on the machine of the game day"
            self.room.take(self.room.exercise.warned(text, awake_and_asleep_s(), everybody=True))

    async def _analyse(self) -> str:
        try:
            child = AnalysisChild(self._folder.path)
            with self._signals(child.interrupt):
                await asyncio.to_thread(child.finish)
        except BrownoutError as error:
            return str(error)
        files: dict[str, bytes] = {}
        for name in POSTMORTEM:
            with contextlib.suppress(OSError):
                files[name] = (self._folder.path / name).read_bytes()
        self.room.show_review(self._times(), files)
        return ""

    def _times(self) -> list[dict[str, Any]]:
        try:
            report = msgspec.json.decode((self._folder.path / "report.json").read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError):
            return []
        return times_of_report(report)

    async def _stay(self) -> None:
        """The review: the pages stay until a signal comes."""
        leave = asyncio.Event()
        how = "Ctrl-C ends the pages" if self._stay_s is None else f"the pages end in {self._stay_s:g} s, or at Ctrl-C"
        self._say(f"review: the truth and the post-mortem are on every page; {how}")
        with self._signals(leave.set), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._stay_s):
                await leave.wait()

    @contextlib.contextmanager
    def _signals(self, does: Callable[[], None]) -> Any:
        """Inside the block, a signal does this. One that was ignored stays so."""
        handled = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        for one in handled:
            self._loop.add_signal_handler(one, does)
        try:
            yield
        finally:
            for one in handled:
                self._loop.remove_signal_handler(one)


def awake_and_asleep_s() -> float:
    """Seconds of a clock that also counts while the machine sleeps, as people and the record do."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def gateway_name(experiment: Experiment) -> str | None:
    """The name of the gateway on the wall; None where none is in front of the replicas."""
    return {
        "reference": "gateway",
        "adapter": str(experiment.gateway.name) if experiment.gateway is not None else "gateway",
        "running": "your gateway",
        "none": None,
    }[experiment.front]
