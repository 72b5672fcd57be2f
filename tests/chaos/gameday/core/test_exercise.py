"""The life of an exercise: start, hold, steps, abort, end; who may do what; what is recorded."""

from __future__ import annotations

import pytest

from chaos.gameday.core.facts import row
from chaos.gameday.core.orders import Abort, End, Inject, LoadStart, Release, Revert
from chaos.gameday.core.roles import NotAllowed, NotNow, Role
from reports.shared.errors import UserError
from tests.support.exercises import ADA, EVE, GRACE, HUGO, Room, plan


def test_the_first_game_master_has_the_controls_and_another_is_told_who_has_them() -> None:
    room = Room()
    with pytest.raises(NotNow, match="Grace has the controls"):
        room.act(HUGO, "start")
    room.act(HUGO, "take_controls")
    room.act(HUGO, "start")
    assert room.state == "running"
    with pytest.raises(NotNow, match="Hugo has the controls"):
        room.act(GRACE, "hold")


def test_the_controls_are_handed_over_to_a_game_master_only() -> None:
    room = Room()
    with pytest.raises(NotAllowed, match="Ada is no game master"):
        room.act(GRACE, "hand_over", to=ADA.id)
    with pytest.raises(UserError, match="nobody with this id"):
        room.act(GRACE, "hand_over", to="nobody")
    room.act(GRACE, "hand_over", to=HUGO.id)
    assert room.see(Role.AUDIENCE)["controls"] == {"id": HUGO.id, "name": "Hugo"}


@pytest.mark.parametrize(
    ("person", "do"), [(ADA, "start"), (ADA, "abort"), (EVE, "notice"), (GRACE, "operate"), (EVE, "inject")]
)
def test_a_role_may_not_do_what_is_of_another(person: object, do: str) -> None:
    with pytest.raises(NotAllowed):
        Room().act(person, do)  # type: ignore[arg-type]


def test_an_unknown_action_is_refused_with_a_similar_one() -> None:
    with pytest.raises(UserError, match='did you mean "notice"'):
        Room().act(ADA, "notise")


def test_a_step_is_played_at_its_time_on_the_sheet_and_not_while_it_is_held() -> None:
    room = Room().start()
    assert not room.after(50).orders
    room.act(GRACE, "hold")
    assert not room.after(100).orders
    room.act(GRACE, "resume")
    orders = room.after(11).orders
    assert orders == [Inject("slow", "slow_decode", {"replica": "tpu-1", "factor": 8}, None, "")]
    document = room.see(Role.GAMEMASTER)
    assert document["exercise"]["elapsed_s"] == 161
    assert document["gamemaster"]["sheet_s"] == 61
    assert document["exercise"]["length_s"] == 1300


def test_a_step_that_is_playing_is_not_played_a_second_time() -> None:
    room = Room().start()
    room.act(GRACE, "play", step="slow")
    with pytest.raises(NotNow, match="playing already \\(by Grace\\)"):
        room.act(GRACE, "play", step="slow")
    assert not [order for order in room.after(100).orders if isinstance(order, Inject)]


def test_a_step_can_be_repeated_after_its_fault_has_ended() -> None:
    room = Room().with_fault()
    with pytest.raises(NotNow, match="playing already"):
        room.act(GRACE, "repeat", step="slow")
    room.exercise.reverted("h1", "by hand", room.now_s)
    with pytest.raises(NotNow, match="repeat it"):
        room.act(GRACE, "play", step="slow")
    assert isinstance(room.act(GRACE, "repeat", step="slow").orders[0], Inject)


def test_a_skipped_step_is_not_played_at_its_time_and_can_be_played_later() -> None:
    room = Room().start()
    room.act(GRACE, "skip", step="slow")
    assert not room.after(100).orders
    assert room.act(GRACE, "play", step="slow").orders


def test_a_step_that_could_not_be_injected_is_shown_as_failed() -> None:
    room = Room().start()
    room.act(GRACE, "play")
    order = room.last.orders[0]
    assert isinstance(order, Inject)
    room.exercise.inject_failed(order, "the replica is gone", room.now_s)
    assert room.see(Role.GAMEMASTER)["gamemaster"]["sheet"][0]["state"] == "failed"


def test_an_abort_reverts_at_once_and_nothing_is_injected_until_it_is_released() -> None:
    room = Room().with_fault()
    room.exercise.load_changed(running=True, profile="game-day", level=1.0, now_s=room.now_s)
    assert room.act(HUGO, "abort").orders == [Abort("Hugo")]  # without the controls
    assert room.state == "held"
    for do, arguments in (("play", {}), ("inject", {"kind": "kill"}), ("resume", {}), ("load_start", {})):
        with pytest.raises(NotNow, match="release"):
            room.act(GRACE, do, **arguments)
    room.exercise.reverted("h1", "abort", room.now_s)
    room.exercise.load_changed(running=False, profile="", level=1.0, now_s=room.now_s)
    assert room.act(GRACE, "release").orders == [Release(), LoadStart("game-day", "Grace")]
    assert room.state == "running"


def test_a_fault_that_comes_after_the_abort_is_reverted_at_once() -> None:
    room = Room().start()
    room.act(GRACE, "play")
    order = room.last.orders[0]
    room.act(GRACE, "abort")
    room.inject(order)
    assert room.last.orders == [Revert("h1", "abort", "")]


def test_the_exercise_ends_at_its_length_and_is_over_when_it_is_restored() -> None:
    room = Room(plan(length_s=100.0, steps=(), branches=())).start()
    assert room.after(100).orders == [End("its length")]
    assert room.state == "ended"
    assert not room.after(10).orders
    room.exercise.restored(True, "6 replicas are ready", room.now_s)
    assert room.state == "over"
    assert room.see(Role.AUDIENCE)["exercise"]["elapsed_s"] == 100


def test_after_the_end_only_notes_and_findings_are_taken() -> None:
    room = Room().with_fault()
    room.act(GRACE, "end")
    room.exercise.restored(True, "", room.now_s)
    room.act(EVE, "note", text="well done")
    room.act(GRACE, "finding", id="finding-1", found=True)
    for person, do, arguments in (
        (ADA, "notice", {}),
        (ADA, "belief", {"cause": "slow", "component": "gateway"}),
        (ADA, "operate", {"operation": "restart", "arguments": {"replica": "tpu-1"}}),
        (ADA, "record_action", {"text": "x"}),
        (GRACE, "inject", {"kind": "kill"}),
        (GRACE, "abort", {}),
        (GRACE, "end", {}),
        (GRACE, "load_stop", {}),
    ):
        with pytest.raises(NotNow, match="over"):
            room.act(person, do, **arguments)


def test_before_the_start_nothing_is_injected_or_operated() -> None:
    room = Room()
    for person, do, arguments in (
        (GRACE, "play", {}),
        (GRACE, "inject", {"kind": "kill"}),
        (ADA, "notice", {}),
        (ADA, "operate", {"operation": "restart_gateway"}),
    ):
        with pytest.raises(NotNow, match="has not started"):
            room.act(person, do, **arguments)


def test_a_notice_before_the_first_fault_is_recorded_and_only_the_game_master_knows() -> None:
    room = Room().start()
    room.act(ADA, "notice", text="it is slow")
    assert room.see(Role.RESPONDER)["responder"]["noticed"] == {"who": "Ada", "t_s": 0.0}
    assert room.see(Role.GAMEMASTER)["gamemaster"]["noticed_early"] == [{"who": "Ada", "t_s": 0.0}]
    assert "injected" not in str(room.see(Role.RESPONDER))
    assert not room.exercise.game.beliefs.noticed


def test_a_belief_is_judged_and_only_the_game_master_sees_the_verdict() -> None:
    room = Room().start()
    room.act(ADA, "belief", cause="slow", component="replica:tpu-1")
    room.act(GRACE, "play")
    room.inject(room.last.orders[0])
    for cause, component in (
        ("slow", "replica:tpu-1"),
        ("slow", "gateway"),
        ("down", "replica:tpu-1"),
        ("down", "load"),
    ):
        room.act(ADA, "belief", cause=cause, component=component, text="I think so")
    verdicts = [one["verdict"] for one in room.see(Role.GAMEMASTER)["gamemaster"]["beliefs"]]
    assert verdicts == ["no fault", "right", "cause", "component", "wrong"]
    assert "verdict" not in str(room.see(Role.RESPONDER))
    assert room.exercise.game.beliefs.diagnosed


def test_a_long_gap_between_ticks_holds_the_exercise_and_makes_up_for_nothing() -> None:
    room = Room().start()
    room.after(10)
    room.now_s += 3600
    assert not room.exercise.tick(room.now_s).orders
    assert room.state == "held"
    assert "did not run for 3600 s" in room.see(Role.RESPONDER)["exercise"]["notice"]
    room.act(GRACE, "resume")
    assert not room.after(45).orders
    assert room.after(6).orders


def test_a_guardrail_aborts_the_exercise_once() -> None:
    room = Room().with_fault()
    assert room.exercise.tripped("abort if session_success < 5% for 60s", 0.01, room.now_s).orders == [Abort("")]
    again = room.exercise.tripped("abort if session_success < 5% for 60s", 0.01, room.now_s)
    assert (again.orders, again.facts) == ([], [])


def test_the_inject_of_a_game_master_has_its_options_and_its_length() -> None:
    room = Room().start()
    room.act(GRACE, "inject", kind="kill", options={"pool": "tpu"}, **{"for": "30s"})
    assert room.last.orders == [Inject("", "kill", {"pool": "tpu"}, 30.0, "Grace")]
    with pytest.raises(UserError, match='did you mean "kill"'):
        room.act(GRACE, "inject", kind="kil", options={})
    with pytest.raises(UserError, match="for: "):
        room.act(GRACE, "inject", kind="kill", options={}, **{"for": "soon"})


@pytest.mark.parametrize("factor", [0.4, 5.1, float("nan"), float("inf"), "2", True, None])
def test_a_level_of_the_load_outside_of_its_bounds_is_refused(factor: object) -> None:
    with pytest.raises(UserError, match="factor"):
        Room().start().act(GRACE, "load_level", factor=factor)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, 7, None, "\x00\x07"])
def test_a_note_without_text_or_with_too_much_is_refused(text: object) -> None:
    with pytest.raises(UserError, match="text"):
        Room().act(EVE, "note", text=text)


def test_markup_in_a_note_is_text_and_control_characters_are_removed() -> None:
    room = Room()
    room.act(EVE, "note", text=" </script><b>\x1b[31m\u202e&amp; ok ")
    assert room.see(Role.AUDIENCE)["events"][-1]["text"] == "</script><b>[31m&amp; ok"


def test_an_argument_that_an_action_does_not_have_is_refused_and_changes_nothing() -> None:
    room = Room()
    with pytest.raises(UserError, match='has no argument "now"'):
        room.act(GRACE, "start", now=True)
    assert room.state == "briefing"


def test_a_fact_is_a_line_of_the_record_with_person_and_role() -> None:
    room = Room().start()
    room.now_s += 2
    room.act(ADA, "note", text="hello")
    (fact,) = room.last.facts
    line = {"event": "note", "who": "Ada", "role": "responder", "text": "hello", "t_s": 2.0, "data": {}}
    assert row(fact) == line


def test_what_the_shell_reports_carries_the_name_of_who_began_it() -> None:
    room = Room().with_fault()
    injected = next(fact for fact in room.facts if fact.event == "injected")
    assert (injected.who, injected.role, injected.data["components"]) == ("Grace", "gamemaster", ["replica:tpu-1"])
    room.operate(ADA, "restart", replica="tpu-1")
    (fact,) = room.last.facts
    assert (fact.who, fact.role, fact.data["repairs"]) == ("Ada", "responder", ["h1"])


def test_every_action_that_is_carried_out_later_is_recorded_with_its_reason() -> None:
    room = Room().start()
    outcome = room.act(GRACE, "inject", kind="kill", options={"replica": "tpu-0"}, reason="they asked for more")
    (fact,) = [row(one) for one in outcome.facts if one.event == "ordered"]
    assert (fact["who"], fact["role"]) == ("Grace", "gamemaster")
    arguments = {"kind": "kill", "options": {"replica": "tpu-0"}}
    assert fact["data"] == {"do": "inject", "arguments": arguments, "reason": "they asked for more"}
    held = room.act(GRACE, "hold", reason="lunch")
    assert [one.data for one in held.facts] == [{"reason": "lunch"}]
    with pytest.raises(UserError, match="the limit is 2,000"):
        room.act(GRACE, "resume", reason="x" * 2001)
    assert room.state == "held"


def test_an_exercise_can_be_ended_before_it_has_started() -> None:
    room = Room()
    assert room.act(GRACE, "end").orders[-1] == End("the game master")
    assert room.state == "ended"
    with pytest.raises(NotNow, match="has ended"):
        room.act(GRACE, "end")
