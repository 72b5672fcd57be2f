"""Exercises of game days for tests: a plan, an offer, a judgement, people, and a shell that carries out nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaos.faults.world import EVERYWHERE, ReplicaView
from chaos.gameday.core.catalogue import fault_catalogue
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.judgement import Truth, Verdict
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.operations import operations_for
from chaos.gameday.core.orders import Inject
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.core.plan import Branch, Finding, Hint, Plan, Question, Step
from chaos.gameday.core.roles import Person, Role
from chaos.gameday.core.views import view

__all__ = [
    "ADA",
    "BEN",
    "CAUSES",
    "EVE",
    "GRACE",
    "HUGO",
    "OFFER",
    "FakeJudgement",
    "Room",
    "plan",
    "step",
]

GRACE: Final = Person("p1", "Grace", Role.GAMEMASTER)
HUGO: Final = Person("p2", "Hugo", Role.GAMEMASTER)
ADA: Final = Person("p3", "Ada", Role.RESPONDER)
BEN: Final = Person("p4", "Ben", Role.RESPONDER)
EVE: Final = Person("p5", "Eve", Role.AUDIENCE)

REPLICAS: Final = [
    ReplicaView(f"{pool}-{n}", pool, cloud)
    for pool, cloud in (("nvidia", "azure"), ("tpu", "gcp"), ("trainium", "aws"))
    for n in (0, 1)
]
TENANTS: Final = {"acme": "subscription", "hooli": "pay_as_you_go", "tyrell": "batch"}
CAUSES: Final = {"down": "a replica is down", "slow": "a replica is slow", "load": "too much load"}

OFFER: Final = Offer(
    components=(
        ("gateway", "the gateway"),
        ("load", "the load"),
        *((f"replica:{one.name}", f"replica {one.name}") for one in REPLICAS),
        *((f"pool:{pool}", f"pool {pool}") for pool in ("nvidia", "tpu", "trainium")),
    ),
    operations=operations_for(
        replicas=[one.name for one in REPLICAS],
        pools=["nvidia", "tpu", "trainium", "spare"],
        tiers=["subscription", "pay_as_you_go", "batch"],
        policies=["retries: off", "retries: budget", "ejection: on"],
        reserve=["spare"],
    ),
    replicas={one.name: one for one in REPLICAS},
    tenants=TENANTS,
    profiles=("game-day", "chat"),
    catalogue=fault_catalogue(EVERYWHERE, REPLICAS, list(TENANTS)),
)


class FakeJudgement:
    """Causes by the place of the fault; the components are the targets."""

    causes = CAUSES

    def cause_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> str:
        return {"kill": "down", "slow_decode": "slow"}.get(kind, "load")

    def components_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> Sequence[str]:
        return [name if name in ("gateway", "load") else f"replica:{name}" for name in targets]

    def judge(self, cause: str, component: str, truths: Sequence[Truth], t_s: float) -> Verdict:
        if not truths:
            return "no fault"
        cause_right = any(one.cause == cause for one in truths)
        component_right = any(component in one.components for one in truths)
        if any(one.cause == cause and component in one.components for one in truths):
            return "right"
        return "cause" if cause_right else "component" if component_right else "wrong"


def step(step_id: str = "slow", at_s: float = 60.0, **more: Any) -> Step:
    """A step of the run sheet: one slow replica, unless `more` says otherwise."""
    given = {
        "label": f"slow_decode on tpu-1 ({step_id})",
        "kind": "slow_decode",
        "options": {"replica": "tpu-1", "factor": 8},
        **more,
    }
    return Step(id=step_id, at_s=at_s, **given)


def plan(**more: Any) -> Plan:
    """A plan with one of each, unless `more` says otherwise."""
    given: dict[str, Any] = {
        "name": "slow-chip-secret",
        "title": "One chip is slow (secret title)",
        "description": "A secret description.",
        "family": "secret-family",
        "briefing": "You are on call.",
        "length_s": 1200.0,
        "steps": (step(),),
        "hints": (Hint(id="hint-1", after_s=240.0, text="Compare the replicas.", unless="diagnosed"),),
        "questions": (Question(id="event-1", at_s=180.0, who="A customer", text="Why is it slow?"),),
        "branches": (
            Branch(
                id="b1",
                at_s=600.0,
                when="not_repaired",
                text="A secret branch.",
                steps=(step("worse", 600.0, kind="kill", options={"replica": "tpu-0"}, label="kill on tpu-0"),),
            ),
        ),
        "findings": (Finding(id="finding-1", text="A secret finding."),),
    }
    return Plan(**{**given, **more})


class Room:
    """An exercise with everybody in it, and a clock. `orders` and `facts` of the last call are in `last`."""

    def __init__(self, made: Plan | None = None, offer: Offer = OFFER) -> None:
        self.exercise = Exercise(made or plan(), offer, FakeJudgement())
        self.now_s = 1000.0
        self.last = self.exercise.opened(self.now_s)
        self.fault_number = 0
        self.facts: list[Any] = [*self.last.facts]
        for person in (GRACE, HUGO, ADA, BEN, EVE):
            self._keep(self.exercise.entered(person, self.now_s))
            self._keep(self.exercise.connected(person, 1, self.now_s))

    def _keep(self, outcome: Outcome) -> Outcome:
        self.last = outcome
        self.facts += outcome.facts
        return outcome

    def act(self, person: Person, do: str, **arguments: Any) -> Outcome:
        """Somebody acts now."""
        return self._keep(self.exercise.act(person, do, arguments, self.now_s))

    def start(self) -> Room:
        """Grace starts the exercise."""
        self.act(GRACE, "start")
        return self

    def after(self, seconds: float) -> Outcome:
        """Let time pass, with a tick each second. Returns all that came of it."""
        outcome = Outcome()
        for _ in range(int(seconds)):
            self.now_s += 1.0
            ticked = self._keep(self.exercise.tick(self.now_s))
            outcome.facts += ticked.facts
            outcome.orders += ticked.orders
        return outcome

    def inject(self, order: Any, targets: Sequence[str] = ("tpu-1",)) -> str:
        """The shell has injected the fault of an order. Returns its id."""
        assert isinstance(order, Inject)
        self.fault_number += 1
        fault = f"h{self.fault_number}"
        params = {key: value for key, value in order.options.items() if key not in ("replica", "pool")}
        self._keep(self.exercise.injected(order, fault, targets, params, self.now_s))
        return fault

    def with_fault(self) -> Room:
        """The exercise runs, and the first step is active."""
        self.start().act(GRACE, "play")
        self.inject(self.last.orders[0])
        return self

    def operate(self, person: Person, operation: str, ok: bool = True, **arguments: str) -> Outcome:
        """A responder operates, and the shell carries it out at once."""
        self.act(person, "operate", operation=operation, arguments=arguments)
        (order,) = self.last.orders
        return self._keep(self.exercise.operated(order.n, ok, "", self.now_s))  # type: ignore[union-attr]

    def see(self, role: Role) -> dict[str, Any]:
        """The document of a role."""
        return view(self.exercise, role, {}, [], [], self.now_s)

    @property
    def state(self) -> str:
        """The state of the exercise."""
        return self.exercise.game.state
