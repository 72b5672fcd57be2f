"""What each role sees. Nobody but a game master learns what the fault is before the exercise is over."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.catalogue import KINDS
from chaos.gameday.core.orders import Inject, Operate, Revert, Undo
from chaos.gameday.core.plan import Drawn, Hint, Plan, Question
from chaos.gameday.core.roles import Person, Role
from chaos.gameday.core.views import view
from reports.shared.errors import UserError
from tests.support.exercises import ADA, BEN, EVE, GRACE, HUGO, OFFER, Room, plan, step

OTHERS = (Role.RESPONDER, Role.AUDIENCE)
SECRETS = (
    "slow-chip-secret",
    "secret",
    "the-slow-step",
    "the-kill-step",
    "a very telling label",
    "hint-1",
    "event-1",
    "finding-1",
    "b1",
)
"""Names and ids of the plan, none of which a responder may receive."""
FAULT_KINDS = ("slow_decode", "heavy_tenant", "flap")
"""The kinds that are injected; `restart` and others are also words of the operations."""
SECRET_PLAN = plan(
    steps=(
        step("the-slow-step", 60.0, label="a very telling label"),
        step("the-kill-step", 90.0, kind="flap", options={"replica": "tpu-0"}, label="a very telling label"),
    )
)
LIVE: dict[str, Any] = {
    "age_s": 0.4,
    "load": {"running": True, "profile": "secret-profile", "level": 1.0, "demand": {"heavy_tenant": "hooli"}},
    "offered_per_s": 9.5,
    "faults": [{"id": "h1", "kind": "flap"}],
    "pools": [
        {
            "name": "tpu",
            "cloud": "gcp",
            "state": "up",
            "replicas": [
                {"name": "tpu-0", "state": "silent", "process": "flap", "gateway": {"breaker": "open", "h1": 1}}
            ],
        }
    ],
    "charts": {"step_s": 2.0, "end_s": 9.0, "offered": [1.0, None], "marks": ["h1"], "good": ["flap", 2.0]},
}
SHELL_FAULTS = [{"id": "h1", "kind": "flap", "targets": ["tpu-0"], "text": "flap on tpu-0"}]
GUARDRAILS = [{"text": "abort if session_success < 5% for 60s (secret)", "value": 0.9}]


def documents(room: Room) -> Iterator[tuple[Role, dict[str, Any]]]:
    for role in OTHERS:
        yield role, view(room.exercise, role, LIVE, SHELL_FAULTS, GUARDRAILS, room.now_s)


def assert_nothing_is_told(room: Room) -> None:
    for role, document in documents(room):
        text = json.dumps(document)
        for secret in (*SECRETS, *FAULT_KINDS):
            assert secret not in text, (role, secret)
        assert not re.search(r"\bh[0-9]+\b", text), (role, "a fault's id")
        assert document["review"] is None
        assert "gamemaster" not in document
        for key in ("events", "log"):
            numbers = [event["n"] for event in document[key]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True, (role, key)
            assert not {event["kind"] for event in document[key]} & {"fault", "step", "controls"}


class _Player:
    """Plays random actions, and a shell that carries out each order."""

    def __init__(self, made: Plan) -> None:
        self.room = Room(made)
        self.room.start()

    def play(self, what: str, index: int) -> None:
        room = self.room
        people = (GRACE, HUGO, ADA, BEN, EVE)
        replica = OFFER.choices("restart")[index % 6]
        operate = [("restart", "replica", replica), ("drain", "pool", "tpu"), ("shed", "tier", "batch")][index % 3]
        calls: dict[str, tuple[Person, str, dict[str, Any]]] = {
            "note": (people[index % 5], "note", {"text": "hello"}),
            "notice": (ADA, "notice", {}),
            "belief": (BEN, "belief", {"cause": "slow", "component": "gateway"}),
            "operate": (ADA, "operate", {"operation": operate[0], "arguments": {operate[1]: operate[2]}}),
            "undo": (BEN, "undo", {"n": index % 4 + 1}),
            "inject": (GRACE, "inject", {"kind": FAULT_KINDS[index % 3], "options": {"replica": replica}}),
            "play": (GRACE, "play", {}),
            "skip": (GRACE, "skip", {"step": ("the-slow-step", "the-kill-step")[index % 2]}),
            "repeat": (GRACE, "repeat", {"step": ("the-slow-step", "the-kill-step")[index % 2]}),
            "revert": (GRACE, "revert", {}),
            "hold": (GRACE, "hold", {}),
            "resume": (GRACE, "resume", {}),
            "abort": (HUGO, "abort", {}),
            "release": (GRACE, "release", {}),
            "hand_over": (GRACE, "hand_over", {"to": GRACE.id}),
            "load_level": (GRACE, "load_level", {"factor": 2}),
            "finding": (GRACE, "finding", {"id": "finding-1", "found": index % 2 == 0}),
            "answer": (ADA, "answer", {"question": "q1", "text": "soon"}),
            "hint": (GRACE, "hint", {"text": "look again"}),
            "end": (GRACE, "end", {}),
        }
        if what == "time":
            self.room.now_s += 1
            outcome = room.exercise.tick(room.now_s)
            for _ in range(index):
                room.now_s += 20
                outcome.orders += room.exercise.tick(room.now_s).orders
            self.carry_out(outcome.orders)
            return
        if what == "warn":
            room.exercise.warned("flap (h1) could not be reverted", room.now_s)
            room.exercise.tripped("secret guardrail", 0.1, room.now_s) if index > 18 else None
            return
        person, do, arguments = calls[what]
        with contextlib.suppress(UserError):  # not now, or nothing to answer or undo
            self.carry_out(room.act(person, do, **arguments).orders, ok=index % 4 != 0)

    def carry_out(self, orders: list[Any], ok: bool = True) -> None:
        room = self.room
        for order in list(orders):
            if isinstance(order, Inject) and ok:
                targets = order.options.get("replica", "tpu-0")
                room.inject(order, [targets] if isinstance(targets, str) else targets)
                self.carry_out(room.last.orders)
            elif isinstance(order, Inject):
                room.exercise.inject_failed(order, f"{order.kind} is not possible on tpu-0", room.now_s)
            elif isinstance(order, Operate):
                text = "tpu-0: flap (h1) is active there"
                self.carry_out(room.exercise.operated(order.n, ok, text, room.now_s).orders)
            elif isinstance(order, Undo):
                room.exercise.undone(order.n, ok, "flap", room.now_s)
            elif isinstance(order, Revert):
                active = [fault.id for fault in room.exercise.game.faults.active]
                for fault in active if order.fault is None else [order.fault]:
                    room.exercise.reverted(fault, order.why, room.now_s)


ACTIONS = (
    *("note", "notice", "belief", "operate", "undo", "inject", "play", "skip", "repeat", "revert", "hold", "resume"),
    *("abort", "release", "hand_over", "load_level", "finding", "answer", "hint", "end", "time", "warn"),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 20)), max_size=40))
def test_no_sequence_of_actions_tells_a_responder_or_the_audience_the_fault(played: list[tuple[str, int]]) -> None:
    player = _Player(SECRET_PLAN)
    for what, index in played:
        player.play(what, index)
        if player.room.state == "over":
            break
    assert_nothing_is_told(player.room)


def test_a_whole_exercise_tells_nothing_until_it_is_over_and_then_everything() -> None:
    player = _Player(SECRET_PLAN)
    for what in ("notice", "time", "play", "belief", "warn", "operate", "inject", "time", "repeat", "time", "end"):
        player.play(what, 3)
        assert_nothing_is_told(player.room)
    room = player.room
    for fault in list(room.exercise.game.faults.active):
        room.exercise.reverted(fault.id, "end", room.now_s)
    assert_nothing_is_told(room)
    room.exercise.restored(True, "6 replicas are ready", room.now_s)
    room.exercise.reviewed([{"who": "people", "what": "notice", "seconds": 4, "text": "4 s"}], ["a.md"], room.now_s)
    for role, document in documents(room):
        review = document["review"]
        assert review["title"] == "One chip is slow (secret title)", role
        assert {one["kind"] for one in review["truth"]} >= {"slow_decode"}
        assert review["beliefs"][0]["verdict"] == "cause"
        assert review["findings"] == [{"id": "finding-1", "text": "A secret finding.", "found": False}]
        assert (review["times"][0]["seconds"], review["files"]) == (4, ["a.md"])
        assert review["restored"] == {"verified": True, "text": "6 replicas are ready"}
    log = room.see(Role.RESPONDER)["log"]
    assert any(event["kind"] == "fault" for event in log), "when it is over, every event is shown"


def test_what_is_offered_does_not_depend_on_the_plan() -> None:
    other = Plan(name="x", title="y", length_s=60.0, source="free")
    for role in (Role.RESPONDER, Role.GAMEMASTER):
        one, two = Room(SECRET_PLAN).see(role)["responder"], Room(other).see(role)["responder"]
        for key in ("causes", "components", "operations"):
            assert one[key] == two[key]


def test_a_role_has_the_parts_of_the_document_that_are_for_it_and_no_others() -> None:
    room = Room(SECRET_PLAN).with_fault()
    common = {"role", "exercise", "live", "events", "log", "people", "controls", "review"}
    assert set(room.see(Role.AUDIENCE)) == common
    assert set(room.see(Role.RESPONDER)) == common | {"responder"}
    assert set(room.see(Role.GAMEMASTER)) == common | {"responder", "gamemaster"}
    assert room.see(Role.AUDIENCE)["log"] == []


def test_only_known_fields_of_the_live_numbers_are_shown() -> None:
    room = Room()
    for role in Role:
        live = view(room.exercise, role, LIVE, [], [], room.now_s)["live"]
        profile = "secret-profile" if role is Role.GAMEMASTER else ""
        assert live["load"] == {"running": True, "profile": profile, "level": 1.0}
        assert live["pools"][0]["replicas"] == [{"name": "tpu-0", "state": "silent", "gateway": {"breaker": "open"}}]
        assert live["charts"] == {"step_s": 2.0, "end_s": 9.0, "offered": [1.0, None], "good": [2.0]}
        assert "faults" not in live


def test_the_length_of_a_drawn_exercise_is_not_told() -> None:
    room = Room(plan(drawn=Drawn(seed=3, family="demand")))
    assert room.see(Role.RESPONDER)["exercise"]["length_s"] is None
    assert room.see(Role.GAMEMASTER)["exercise"]["length_s"] == 1200.0
    assert room.see(Role.GAMEMASTER)["gamemaster"]["drawn"] == {"seed": 3, "family": "demand"}


@pytest.mark.parametrize("role", OTHERS)
def test_a_failed_operation_tells_responders_no_word_of_the_shell(role: Role) -> None:
    room = Room().with_fault()
    room.act(ADA, "operate", operation="restart", arguments={"replica": "tpu-1"})
    room.exercise.operated(1, False, "slow_decode (h1) is active there", room.now_s)
    assert room.see(role)["events"][-1]["text"] == "tpu-1 could not be restarted"
    assert room.see(Role.GAMEMASTER)["events"][-1]["text"] == "slow_decode (h1) is active there"


def test_a_responder_document_can_be_written_as_json_and_keeps_markup_as_text() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    made = plan(
        public_title=evil,
        briefing=evil,
        hints=(Hint(id="h", after_s=1.0, text=evil),),
        questions=(Question(id="q", at_s=1.0, who=evil, text=evil),),
    )
    room = Room(made).start()
    room.after(2)
    document = json.loads(json.dumps(room.see(Role.RESPONDER)))
    assert document["exercise"]["title"] == evil
    assert document["responder"]["hints"][0]["text"] == evil


def test_long_texts_are_cut_in_the_document_and_kept_in_the_record() -> None:
    room = Room()
    room.act(EVE, "note", text="x" * 2000)
    assert len(room.see(Role.RESPONDER)["log"][-1]["text"]) == 500
    assert len(room.last.facts[0].text) == 2000


def test_the_document_holds_the_last_events_and_not_more() -> None:
    room = Room()
    for number in range(400):
        room.act(EVE, "note", text=f"note {number}")
    document = room.see(Role.RESPONDER)
    assert [event["n"] for event in document["events"]] == list(range(391, 401))
    assert len(document["log"]) == 300


def test_the_run_sheet_shows_the_next_step_and_who_plays() -> None:
    room = Room(SECRET_PLAN).start()
    room.exercise.previewed({"the-slow-step": "slow_decode on tpu-1, until it is reverted"})
    rows = room.see(Role.GAMEMASTER)["gamemaster"]["sheet"]
    assert [row["state"] for row in rows] == ["next", "planned"]
    assert rows[0]["preview"] == "slow_decode on tpu-1, until it is reverted"
    room.act(GRACE, "play")
    rows = room.see(Role.GAMEMASTER)["gamemaster"]["sheet"]
    assert [(row["state"], row["who"], row["played"]) for row in rows] == [("playing", "Grace", 1), ("next", "", 0)]


def test_every_kind_of_the_catalogue_is_offered_to_the_game_master_but_commands() -> None:
    kinds = [one["kind"] for one in Room().see(Role.GAMEMASTER)["gamemaster"]["catalogue"]]
    assert kinds == [kind for kind in KINDS if kind != "exec"]
