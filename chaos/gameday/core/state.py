"""The state of an exercise, and how facts are recorded and shown.

`Game` is changed by `timed`, `responder_actions`, `gamemaster_actions` and `exercise`, and read by `views`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chaos.gameday.core.beliefs import Beliefs
from chaos.gameday.core.clock import ExerciseClock
from chaos.gameday.core.facts import Fact
from chaos.gameday.core.fault_log import FaultLog, FaultRecord
from chaos.gameday.core.judgement import Judgement
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.operation_log import OperationLog
from chaos.gameday.core.orders import End, Inject, Order
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.core.people import People
from chaos.gameday.core.plan import Condition, Hint, Plan, Repair
from chaos.gameday.core.prompts import AskedQuestion, Prompts
from chaos.gameday.core.repairs import RESTART, default_repairs, is_repaired
from chaos.gameday.core.roles import NotNow, Person, Role
from chaos.gameday.core.run_sheet import RunSheet
from chaos.gameday.core.visible_log import EVERYBODY, GAMEMASTERS, Kind, VisibleLog

__all__ = ["Game", "GameState", "Load", "Recorder"]

GameState = Literal["briefing", "running", "held", "ended", "over"]


@dataclass(frozen=True, slots=True)
class Load:
    """The load as the shell reported it last."""

    running: bool = True
    profile: str = ""
    level: float = 1.0


class Recorder:
    """Collects the outcome of one action or tick of a game at a time."""

    def __init__(self, game: Game, now_s: float, person: Person | None = None) -> None:
        self.game = game
        self.now_s = now_s
        self.t_s = game.clock.since_start_s(now_s)
        self.person = person
        self.reason = ""
        """Why the person acts, in their words."""
        self.outcome = Outcome()

    @property
    def name(self) -> str:
        """Who acts; "" is the exercise itself."""
        return "" if self.person is None else self.person.name

    def fact(
        self,
        event: str,
        text: str = "",
        data: Mapping[str, Any] | None = None,
        *,
        by: str = "",
        role: Role | None = None,
    ) -> None:
        """Record a fact. `by`, `role`: who began it, where the shell reports what became of it."""
        known = role if by else None if self.person is None else self.person.role
        role_text = "" if known is None else known.value
        reason = {"reason": self.reason} if self.reason else {}
        self.outcome.facts.append(Fact(event, by or self.name, role_text, text, {**(data or {}), **reason}, self.t_s))

    def show(self, kind: Kind, text: str, to: Collection[Role] = EVERYBODY, *, who: str | None = None) -> None:
        """Show an event to these roles. `who`: in place of the one who acts."""
        self.game.log.add(kind, self.name if who is None else who, text, self.t_s, to)

    def order(self, order: Order) -> None:
        """Tell the shell what to do."""
        self.outcome.orders.append(order)

    def answer(self, text: str) -> Outcome:
        """The outcome, with the answer to the one who acted."""
        self.outcome.text = text
        return self.outcome


@dataclass(slots=True)
class Game:
    """Everything that an exercise knows."""

    plan: Plan
    offer: Offer
    judgement: Judgement
    sheet: RunSheet = field(init=False)
    prompts: Prompts = field(init=False)
    state: GameState = "briefing"
    aborted: bool = False
    clock: ExerciseClock = field(default_factory=ExerciseClock)
    faults: FaultLog = field(default_factory=FaultLog)
    operations: OperationLog = field(default_factory=OperationLog)
    beliefs: Beliefs = field(default_factory=Beliefs)
    people: People = field(default_factory=People)
    log: VisibleLog = field(default_factory=VisibleLog)
    load: Load = field(default_factory=Load)
    load_before_abort: Load = field(default_factory=lambda: Load(running=False))
    branches: dict[str, bool] = field(default_factory=dict)
    """Of the branches whose time has come: whether each was taken."""
    found: dict[str, bool] = field(default_factory=dict)
    ticked_s: float | None = None
    notice: str = ""
    notice_until_s: float = 0.0
    restored: tuple[bool, str] | None = None
    """Whether everything is restored and verified, and a text; None: not yet."""
    times: tuple[Mapping[str, Any], ...] = ()
    files: tuple[str, ...] = ()
    previews: dict[str, str] = field(default_factory=dict)
    """What each step would hit, by the id of the step."""

    def __post_init__(self) -> None:
        self.sheet = RunSheet(self.plan.steps)
        self.prompts = Prompts(self.plan.hints, self.plan.questions)

    def holds(self, condition: Condition) -> bool:
        """Whether the condition of a branch is so now."""
        so = {
            "noticed": self.beliefs.noticed,
            "diagnosed": self.beliefs.diagnosed,
            "repaired": self.faults.repaired,
        }
        return not so[condition.removeprefix("not_")] if condition.startswith("not_") else so[condition]

    def is_needed(self, hint: Hint) -> bool:
        """Whether a hint still helps."""
        return hint.unless == "" or not self.holds(hint.unless)

    def check_started(self) -> None:
        """Raises NotNow before the start and after the end."""
        if self.state == "briefing":
            raise NotNow("the exercise has not started\n    the game master starts it")
        self.check_not_ended()

    def check_not_ended(self) -> None:
        """Raises NotNow after the end."""
        if self.state == "over":
            raise NotNow("the exercise is over\n    notes can still be added")
        if self.state == "ended":
            raise NotNow("the exercise has ended, and everything is being restored\n    notes can still be added")

    def check_injectable(self) -> None:
        """Raises NotNow where no fault can be injected now."""
        self.check_started()
        if self.aborted:
            raise NotNow("everything was aborted: no fault can be injected\n    release first")

    def repairing(self, fault: FaultRecord) -> int | None:
        """The number of the operation under way that has ended a fault; None: there is none.

        A restart ends what is inside a process before the new process is ready, so before it is carried out.
        """
        for one in self.operations.under_way:
            done = Repair(operation=one.operation, arguments=one.arguments)
            restarted = {*fault.restarted, *one.arguments.values()}
            own = [Repair(operation=RESTART, arguments={"replica": name}) for name in fault.targets]
            gateway = [Repair(operation="restart_gateway")] if "gateway" in fault.targets else []
            if any(is_repaired(repairs, restarted, done) for repairs in (fault.repairs, own, gateway)):
                return one.n
        return None

    # -- what several modules do --------------------------------------------------------------------------------------
    def began(self, order: Inject, fault: str, targets: tuple[str, ...], params: Mapping[str, Any], t_s: float) -> None:
        """A fault is active."""
        step = next((row.step for row in self.sheet.rows if row.step.id == order.step), None) if order.step else None
        repairs = None if step is None else step.repairs
        if repairs is None:
            repairs = default_repairs(order.kind, targets, params, self.offer)
        cause = self.judgement.cause_of(order.kind, targets, params)
        components = tuple(self.judgement.components_of(order.kind, targets, params))
        self.faults.begin(FaultRecord(fault, order, targets, dict(params), cause, components, repairs, t_s))
        self.sheet.injected(order.step, fault)

    def give_hint(self, to: Recorder, hint_id: str, text: str) -> None:
        """Give a hint to everybody."""
        self.prompts.give(hint_id, text, to.t_s)
        to.fact("hint", text, {"id": hint_id})
        to.show("hint", text, who="")

    def ask(self, to: Recorder, planned: str, who: str, text: str, answer_within_s: float | None) -> AskedQuestion:
        """Ask a question that people must answer."""
        asked = self.prompts.ask(planned, who, text, to.t_s, answer_within_s)
        data = {"id": asked.id, "planned": planned, "asked_by": who, "answer_within_s": answer_within_s}
        to.outcome.facts.append(Fact("question", who, "", text, data, to.t_s))
        to.show("question", text, who=who)
        return asked

    def end(self, to: Recorder, why: str) -> None:
        """The exercise ends: everything is reverted."""
        self.state = "ended"
        self.clock.stop(to.now_s)
        to.fact("ended", why, {"why": why})
        to.show("state", "The exercise has ended; everything is being restored", EVERYBODY - GAMEMASTERS)
        to.show("state", f"The exercise has ended ({why}); everything is being restored", GAMEMASTERS)
        to.order(End(why))
