"""What the pages show and do: the exercise, the live numbers and the stack, behind the `Room` of the server.

Everything that a person presses goes through the exercise first, which decides whether it may be done; then its orders
are carried out. A page that is closed meanwhile changes nothing: what was begun is completed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from chaos.by_hand.controls import HandControls
from chaos.experiment.guardrails import Guardrail, GuardrailWatch, nearness
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.facts import row
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.core.roles import NotNow, Person, Role
from chaos.gameday.core.views import view
from chaos.gameday.live.numbers import LiveNumbers, PoolStates
from chaos.gameday.live.orders import Orders
from chaos.runner.counters import Counters
from chaos.runner.record_writer import EventLog, RecordFull
from reports.gameday.review import times_at_once
from targets.stack import Stack

__all__ = ["TICK_S", "GameRoom"]

TICK_S: Final = 0.25
"""How often the exercise is told what time it is."""
ACTIONS_WITHIN_S: Final = 5.0
"""How long the end waits for actions that are under way, after everything is reverted; a cold start is longer."""

_NO_TIMES: Final = ("note", "action", "entered", "ordered")
"""Facts that the times of the review do not need, and of which there can be many."""
_OF_THE_REVIEW: Final = ("note", "finding")
"""What people add to the record when the exercise is over."""


class GameRoom:
    """Implements `chaos.gameday.server.room.Room`, and the `Guest` of the stack.

    `clock`: seconds, also those that the machine slept. `on_ready()`: the stack is up and its load runs. `on_over()`:
    everything is reverted. `on_failure(error)`: the record cannot be written.
    """

    def __init__(
        self,
        exercise: Exercise,
        stack: Stack,
        events: EventLog,
        *,
        slo_ttft_s: float | None,
        gateway: str | None,
        guardrails: Sequence[Guardrail],
        clock: Callable[[], float],
        say: Callable[[str], None],
        on_ready: Callable[[], None],
        on_over: Callable[[], Awaitable[None]],
        on_failure: Callable[[RecordFull], None],
    ) -> None:
        self.exercise = exercise
        self.ended = asyncio.Event()
        """Set when the exercise ordered its end."""
        self.restored_problem = ""
        self.files: dict[str, bytes] = {}
        self._stack = stack
        self._events = events
        self._gateway = gateway
        self._clock = clock
        self._say = say
        self._on_ready = on_ready
        self._on_over = on_over
        self._on_failure = on_failure
        self._guardrails = tuple(guardrails)
        self._watch = GuardrailWatch(self._guardrails)
        self._load_incarnation = 0
        self._numbers = LiveNumbers(stack, clock(), slo_ttft_s)
        self._controls: HandControls | None = None
        self._orders: Orders | None = None
        self._final_live: dict[str, Any] | None = None
        self.why_stopped: Callable[[], str] = lambda: "the game day was stopped"
        """Why the stack ended before the exercise did, where it did."""
        self.played = False
        """Whether the stack was ready, so that there is an exercise to look back on."""
        self._rows: list[dict[str, Any]] = []
        """The facts from which the times of the review are made."""
        self._acting: set[asyncio.Task[Any]] = set()
        self._waiting: list[dict[str, Any]] | None = None
        """Facts that came while the record was closed for the analysis; None: it is open."""
        self._noted_late = False

    # -- Room: what the server asks -----------------------------------------------------------------------------------
    def view(self, role: Role) -> Mapping[str, Any]:
        """The document of a role."""
        now_s = self._clock()
        return view(
            self.exercise,
            role,
            live=self._final_live or self._live(now_s),
            faults=self._fault_rows(now_s),
            guardrails=self._guardrail_rows(),
            now_s=now_s,
        )

    async def act(self, person: Person, do: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what a person pressed. Raises UserError, NotAllowed, NotNow or TargetFailed."""
        task = asyncio.create_task(self._act(person, do, arguments))
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        return await asyncio.shield(task)

    async def _act(self, person: Person, do: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._orders is None and do != "note":
            raise NotNow("the stack is not ready yet\n    wait until the wall shows its replicas")
        outcome = self.exercise.act(person, do, arguments, self._clock())
        if self._orders is None or not outcome.orders:
            self.take(outcome)
            return {"text": outcome.text}
        return {"text": await self._orders.carry_out(outcome)}

    def entered(self, person: Person) -> None:
        """Somebody has entered with a link."""
        self.take(self.exercise.entered(person, self._clock()))

    def connected(self, person: Person, streams: int) -> None:
        """The number of pages that a person has open has changed."""
        self.take(self.exercise.connected(person, streams, self._clock()))

    def file(self, name: str) -> bytes | None:
        """A file of the review, once there is one."""
        return self.files.get(name)

    # -- Guest: what the stack tells ----------------------------------------------------------------------------------
    def counters(self, counters: Counters) -> None:
        """A process has posted."""
        self._numbers.observe(counters, self._clock())
        if counters.kind != "load":
            return
        if counters.incarnation != self._load_incarnation:  # its counts begin at 0 again
            self._load_incarnation, self._watch = counters.incarnation, GuardrailWatch(self._guardrails)
        if tripped := self._watch.observe(counters.at / 1e9, counters.data):
            self._trip(f"{tripped.text} (it was {tripped.value:g})", tripped.value)

    def _trip(self, text: str, value: float) -> None:
        outcome = self.exercise.tripped(text, value, self._clock())
        if self._orders is not None:
            self._orders.in_background(outcome)
        else:
            self.take(outcome)

    def lapsed(self, target: str, fault_id: str) -> None:
        """A lease ended."""
        if self._orders is not None:
            self._orders.lapsed(fault_id)

    def exited(self, process: str) -> None:
        """A process has ended by itself: the numbers show it; the game master is told why."""
        text = f"{process} has ended by itself, without a fault"
        self.take(self.exercise.warned(text, self._clock()))

    async def stay(self, controls: HandControls) -> None:
        """The exercise, until it ends and everything is reverted and verified."""
        self._controls = controls
        orders = self._orders = Orders(self.exercise, controls, self._clock, self.take, self._say, self._ends)
        self.exercise.previewed(orders.previews())
        await orders.start_load()
        self.played = True
        self._on_ready()
        while not self.ended.is_set():
            now_s = self._clock()
            if not self._events.path.exists():
                self._on_failure(RecordFull(f"the folder of the record was removed: {self._events.path.parent}"))
            self._numbers.tick(now_s)
            orders.adopt()
            orders.in_background(self.exercise.tick(now_s))
            await self._next_tick()
        self.restored_problem = await orders.restore()
        if self._acting:
            await asyncio.wait(self._acting, timeout=ACTIONS_WITHIN_S)
        self._restored(orders.down())
        await self._on_over()

    async def _next_tick(self) -> None:
        try:
            async with asyncio.timeout(TICK_S):
                await self.ended.wait()
        except TimeoutError:
            pass

    def _ends(self, why: str) -> None:
        self.ended.set()

    def left(self, problems: list[str]) -> None:
        """The stack has ended. Where it ended before the exercise did, the exercise ends now."""
        game = self.exercise.game
        if game.state not in ("ended", "over"):
            self.take(self.exercise.stopped(self.why_stopped(), self._clock()))
        if self._orders is not None:
            self._orders.faults.note_reverted()
        if game.state != "over":
            self.restored_problem = "\n".join(problems)
            self._restored()

    def _restored(self, down: Sequence[str] = ()) -> None:
        problem = self.restored_problem
        if down and not problem:
            problem = f"every fault is reverted and verified, and {', '.join(down)} is down for another reason"
        self._final_live = self._live(self._clock())
        text = problem or "everything is reverted and verified"
        now_s = self._clock()
        self.take(self.exercise.restored(not problem, text, now_s))
        self.show_review(times_at_once(self._rows, self.exercise.game.clock.since_start_s(now_s)), {})

    # -- the record ---------------------------------------------------------------------------------------------------
    def take(self, outcome: Outcome) -> None:
        """Record the facts of an outcome that has no orders, or whose orders are carried out elsewhere."""
        try:
            for fact in outcome.facts:
                line = row(fact)
                if self.exercise.game.state == "over" and fact.event != "restored":
                    self._noted_late = self._noted_late or fact.event in _OF_THE_REVIEW
                elif fact.event not in _NO_TIMES:
                    self._rows.append({**line, "t_s": fact.t_s})
                if self._waiting is None:
                    self._events.write("exercise", **line)
                else:
                    self._waiting.append({**line, "at_ns": time.time_ns()})
        except RecordFull as error:
            self._on_failure(error)

    def pause_record(self) -> bool:
        """The record is closed for an analysis: what comes now is kept for `continue_record`.

        Returns whether something was noted since the last analysis.
        """
        self._waiting = []
        noted, self._noted_late = self._noted_late, False
        return noted

    def continue_record(self, events: EventLog) -> None:
        """The record is open again. Raises RecordFull."""
        self._events, waiting = events, self._waiting or []
        while waiting:  # on a full disk, the rest still waits
            line = dict(waiting[0])
            events.write("exercise", at_ns=line.pop("at_ns"), **line)
            del waiting[0]
        self._waiting = None

    def show_review(self, times: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]) -> None:
        """What the analysis found, on every page from now on. Without `times`, those of before stay."""
        self.files.update({name: content for name, content in files.items() if content})
        known = times or self.exercise.game.times
        self.take(self.exercise.reviewed(known, list(self.files), self._clock()))

    # -- what is shown ------------------------------------------------------------------------------------------------
    def _live(self, now_s: float) -> dict[str, Any]:
        controls = self._controls
        load = controls.load if controls is not None else None
        live = self._numbers.section(
            now_s,
            load={
                "running": load is not None and load.running,
                "profile": load.profile_name if load is not None else "",
                "level": load.level if load is not None else 1.0,
            },
            gateway=self._gateway,
            pools=self._pool_states(),
        )
        live["charts"]["end_s"] = round(self.exercise.game.clock.elapsed_s(now_s), 1)
        return live

    def _pool_states(self) -> PoolStates:
        operations = self._controls.operations if self._controls is not None else None
        if operations is None:
            return PoolStates()
        state = operations.state()
        starting = {one.argument for one in operations.in_force.values() if one.starting}
        return PoolStates(frozenset(state.drained), frozenset(state.added), frozenset(starting))

    def _fault_rows(self, now_s: float) -> list[dict[str, Any]]:
        """The active faults, with the time of the exercise at which each began."""
        if self._controls is None:
            return []
        elapsed_s = self.exercise.game.clock.elapsed_s(now_s)
        return [
            {
                **fault,
                "text": f"{fault['kind']} on {', '.join(fault['targets'])}",
                "since_s": round(max(0.0, elapsed_s - fault["since_s"]), 1),
            }
            for fault in self._controls.status()["faults"]
        ]

    def _guardrail_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "text": reading.guardrail.text,
                "value": reading.value,
                "limit": reading.guardrail.value,
                "nearness": nearness(reading),
                "true_for_s": round(reading.true_for_s, 1),
                "holds_s": reading.guardrail.window_s,
            }
            for reading in self._watch.readings()
        ]
