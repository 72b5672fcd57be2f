"""A scenario file becomes a plan; every mistake is reported with its line and a remedy."""

from __future__ import annotations

import contextlib
import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos.by_hand.injection import injection
from chaos.faults.world import EVERYWHERE
from chaos.gameday.core.plan import Drawn, Hint, Question, Repair
from chaos.gameday.scenario.model import load_scenario, scenario_names
from chaos.gameday.scenario.other_plans import BRIEFING
from reports.shared.errors import InvalidFile, UserError
from tests.support.scenario_files import SCENARIO, made, problems, write


def test_a_scenario_becomes_a_plan(tmp_path: Path) -> None:
    day = made(tmp_path)
    plan = day.plan
    assert (plan.name, plan.title, plan.public_title, plan.length_s) == (
        "slow-chip",
        "One chip is slow",
        "Game day",
        1200,
    )
    (step,) = plan.steps
    assert (step.id, step.kind, step.at_s, step.for_s) == ("slow", "slow_decode", 180.0, None)
    assert step.options == {"replica": "tpu-1", "factor": 8}
    assert step.repairs == (
        Repair(operation="restart", arguments={"replica": "tpu-1"}),
        Repair(operation="drain", arguments={"pool": "tpu"}),
    )
    assert plan.hints == (Hint(id="hint-1", after_s=480.0, text="Compare the replicas.", unless="diagnosed"),)
    question = Question(id="event-1", at_s=300.0, who="A customer", text="It is slow.", answer_within_s=120.0)
    assert plan.questions == (question,)
    (branch,) = plan.branches
    assert (branch.when, branch.at_s, branch.steps[0].kind, branch.steps[0].at_s) == ("not_repaired", 720, "kill", 720)
    assert branch.steps[0].repairs is None
    assert branch.hints[0].id == "b1-hint-1"


def test_its_experiment_has_the_target_the_load_and_the_guardrails_and_no_faults(tmp_path: Path) -> None:
    experiment = made(tmp_path).experiment
    assert experiment.stack is not None
    assert (experiment.stack.name, experiment.profile.name) == ("multi-cloud", "busy-tenants-ci")
    assert (experiment.slo.ttft_s, len(experiment.guardrails), experiment.faults) == (2.0, 1, ())


def test_a_drawn_scenario_has_the_general_title_and_briefing(tmp_path: Path) -> None:
    path = write(tmp_path, "family:", "public_title: A windy day\nfamily:")
    assert load_scenario(path).plan.public_title == "A windy day"
    plan = load_scenario(path, drawn=Drawn(seed=3, family="grey-failure")).plan
    assert (plan.public_title, plan.briefing, plan.drawn) == (
        "Game day",
        BRIEFING,
        Drawn(seed=3, family="grey-failure"),
    )


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_is_valid_and_each_of_its_steps_can_be_injected(name: str) -> None:
    day = load_scenario(name)
    plan, stack = day.plan, day.experiment.stack
    assert stack is not None
    assert plan.length_s is not None
    assert 15 * 60 <= plan.length_s <= 25 * 60
    assert plan.findings
    assert plan.hints
    assert plan.questions
    for step in [*plan.steps, *(one for branch in plan.branches for one in branch.steps)]:
        one = injection(
            step.kind,
            step.options,
            stack=stack,
            profile=day.experiment.profile,
            offers=EVERYWHERE,
            fault_id="h1",
            seed=7,
        )
        assert one.occurrence.targets


def test_before_the_start_nothing_tells_which_shipped_scenario_it_is() -> None:
    days = [load_scenario(name) for name in scenario_names()]
    assert len(days) == 4
    assert {day.plan.public_title for day in days} == {"Game day"}
    assert {day.plan.length_s for day in days} == {1200.0}
    assert len({day.experiment.profile.name for day in days}) == 1
    assert len({day.experiment.stack.name for day in days if day.experiment.stack}) == 1
    assert len({day.experiment.slo for day in days}) == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "remedy"),
    [
        (
            "after: 8m",
            "after: 25m",
            16,
            "the hint comes at 25 min, after the end of the exercise (20 min)",
            "before 20 min",
        ),
        ("after: 8m", "after: 20m", 16, "the hint comes at the end of the exercise (20 min)", "before 20 min"),
        ("at: 5m", "at: 21m", 18, "the event comes at 21 min, after the end", "make length: longer"),
        ("at: 3m", "at: 30m", 12, "the fault comes at 30 min, after the end", "make length: longer"),
        ("at: 12m", "at: 22m", 22, "the branch comes at 22 min, after the end", "make length: longer"),
        (
            "after: 13m",
            "after: 11m",
            28,
            "the hint comes at 11 min, before its branch is taken (12 min)",
            "12 min or later",
        ),
        ("{kill: {pool: nvidia}}", "{at: 2m, kill: {pool: nvidia}}", 26, "before its branch", "12 min or later"),
        (
            "text: It gets worse.",
            "text: x\n    end: true",
            26,
            "ends with this branch, so its faults never",
            "end: true",
        ),
        ("slow_decode:", "slow_decod:", 13, 'unknown key "slow_decod"', 'did you mean "slow_decode"?'),
        ("unless:", "unles:", 16, 'unknown key "unles"', 'did you mean "unless"?'),
        ("length:", "lenght:", 9, 'unknown key "lenght"', 'did you mean "length"?'),
        ("length: 20m", "length: 0s", 9, "no length of an exercise", "as 20m"),
        ("length: 20m", "length: 7h", 9, "no length of an exercise", "as 20m"),
        ("not_repaired", "not_repared", 23, "is not known here", 'did you mean "not_repaired"?'),
        ("unless: diagnosed", "unless: diagnosd", 16, "is not known here", 'did you mean "diagnosed"?'),
        ("restart: tpu-1", "reboot: tpu-1", 14, 'there is no operation "reboot"', "it is one of"),
        ("restart: tpu-1", "restart: tpu-9", 14, 'the stack multi-cloud has no replica "tpu-9"', "did you mean"),
        ("drain: tpu", "drain: tpv", 14, 'the stack multi-cloud has no pool "tpv"', 'did you mean "tpu"?'),
        ("drain: tpu", "shed: bach", 14, 'the stack multi-cloud has no tier "bach"', 'did you mean "batch"?'),
        ("drain: tpu", "switch: 'retries: of'", 14, 'no policy "retries: of"', 'did you mean "retries: off"?'),
        ("drain: tpu", "add_pool: spare", 14, "add_pool is not possible on this target", "name another repair"),
        (
            "restart: tpu-1",
            "restart: tpu-0",
            14,
            "restart: tpu-0 does not repair a fault on tpu-1",
            "name one of: tpu-1",
        ),
        ("drain: tpu", "drain: nvidia", 14, "drain: nvidia does not repair a fault on tpu-1", "name one of: tpu"),
        ("[{restart: tpu-1}, {drain: tpu}]", "{restart: tpu-1}", 14, "must be a list", "repair: []"),
        ("[{restart: tpu-1}, {drain: tpu}]", "[{restart: tpu-1, drain: tpu}]", 14, "must be one operation", "write an"),
        ("replica: tpu-1", "replica: tpu-7", 13, 'has no replica "tpu-7"', "did you mean"),
        (
            "slow_decode: {replica: tpu-1, factor: 8}",
            "exec: {inject: [ls], revert: [ls]}",
            13,
            "exec runs commands",
            "remove",
        ),
        (
            "slow_decode: {replica: tpu-1, factor: 8}",
            "stall: {replica: tpu-1, for: 3s}",
            13,
            "stall as long as",
            "remove",
        ),
        (
            "slow_decode: {replica: tpu-1, factor: 8}\n    repair: [{restart: tpu-1}, {drain: tpu}]",
            "heavy_tenant: {tenant: holi, share: 60%}",
            *(13, 'the profile busy-tenants-ci has no tenant "holi"', 'did you mean "hooli"?'),
        ),
        (
            "    - {kill: {pool: nvidia}}",
            "    - {id: slow, kill: {pool: nvidia}}",
            26,
            'two faults have the id "slow"',
            "each",
        ),
        ("briefing: You are on call.", "briefing: Watch tpu-1.", 5, "it names its replica tpu-1", "let them find out"),
        ("briefing: You are on call.", "briefing: The pool tpu is new.", 5, "it names its pool tpu", "let them"),
        ("family:", "public_title: A slow decode\nfamily:", 4, "it names its kind (slow_decode)", "let them find out"),
        (
            "text: It is slow.",
            "text: Perhaps tpu-1.",
            18,
            "the event tells the fault before 6 min",
            "let them find out",
        ),
        (
            "after: 8m, unless: diagnosed, text: Compare",
            "after: 4m, text: tpu-1 - compare",
            16,
            "the hint tells",
            "let them",
        ),
        ("abort if session_success < 5% for 60s", "abort if sessions < 5% for 60s", 30, "cannot watch", "did you mean"),
        ("stack: multi-cloud", "stack: multi-clod", 6, 'there is no stack "multi-clod"', 'did you mean "multi-cloud"?'),
        ("seed: 7", "seed:", 31, "has no value", "write a value, or remove the key"),
        ("text: It is slow.", "text: ''", 18, "is empty", "write something"),
        ("faults:\n  - id: slow", "faults:\n  - every: 5s\n    times: 3\n    id: slow", 11, 'unknown key "every"', ""),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, line: int, what: str, remedy: str
) -> None:
    found = problems(tmp_path, old, new)
    assert any(one[0] == line and what in one[1] and remedy in one[2] for one in found), found


def test_only_the_mistake_is_reported_and_only_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "after: 8m", "after: 25m")) == 1
    assert len(problems(tmp_path, "restart: tpu-1", "restart: tpu-9")) == 1
    assert len(problems(tmp_path, "replica: tpu-1", "replica: tpu-7")) == 1


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    text = SCENARIO.replace("after: 8m", "after: 25m").replace("drain: tpu", "drain: tpv").replace("5%", "500%")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_scenario(tmp_path / "x.yaml")
    assert [problem.line for problem in caught.value.problems] == [14, 16, 30]


def test_a_fault_that_is_not_possible_on_the_target_is_refused(tmp_path: Path) -> None:
    url = "target: {url: 'http://127.0.0.1:9', model: m}"
    found = problems(tmp_path, "target: {stack: multi-cloud}", url)
    assert any("slow_decode needs replicas" in what for _, what, _ in found), found
    assert any("drain is not possible on this target" in what for _, what, _ in found), found


def test_a_foreign_gateway_has_no_repairs_but_restarts(tmp_path: Path) -> None:
    found = problems(tmp_path, "{stack: multi-cloud}", "{stack: multi-cloud, gateway: {nginx: {preset: tuned}}}")
    assert [(line, what.partition(":")[0]) for line, what, _ in found] == [(14, "drain is not possible on this target")]


def test_a_late_text_may_name_the_target(tmp_path: Path) -> None:
    assert problems(tmp_path, "Compare the replicas.", "Look at tpu-1.") == []


def test_a_text_that_names_every_pool_tells_nothing(tmp_path: Path) -> None:
    assert problems(tmp_path, "You are on call.", '"Your pools: nvidia, tpu, trainium."') == []


def test_two_faults_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    more = "faults:\n  - {at: 4m, kill: {replica: tpu-1}}\n"
    found = problems(tmp_path, "faults:\n", more)
    assert any("a process that is stopped holds no other fault" in remedy for *_, remedy in found), found


def test_a_branch_may_hit_again_what_was_repaired(tmp_path: Path) -> None:
    old = SCENARIO[SCENARIO.index("    slow_decode") : SCENARIO.index("hints:")]
    text = SCENARIO.replace(old, "    kill: {pool: nvidia}\n", 1).replace("when: not_repaired", "when: repaired")
    (tmp_path / "x.yaml").write_text(text)
    assert load_scenario(tmp_path / "x.yaml").plan.branches[0].steps


@pytest.mark.parametrize("repair", ["[]", "[restart_gateway]", "[{restart: replica tpu-1}]", "[{restart: [tpu-1]}]"])
def test_repairs_are_written_as_a_person_would(tmp_path: Path, repair: str) -> None:
    plan = made(tmp_path, "[{restart: tpu-1}, {drain: tpu}]", repair).plan
    expected = {
        "[]": [],
        "[restart_gateway]": [Repair(operation="restart_gateway")],
    }.get(repair, [Repair(operation="restart", arguments={"replica": "tpu-1"})])
    assert list(plan.steps[0].repairs or ()) == expected


def test_a_switch_is_written_as_text_or_as_a_mapping(tmp_path: Path) -> None:
    old = "{drain: tpu}"
    for written in ("{switch: 'retries: off'}", "{switch: {retries: off}}"):
        repairs = made(tmp_path, old, written).plan.steps[0].repairs
        assert repairs is not None
        assert repairs[1] == Repair(operation="switch", arguments={"policy": "retries: off"})


def test_replicas_that_the_seed_chooses_are_part_of_the_plan(tmp_path: Path) -> None:
    old = "slow_decode: {replica: tpu-1, factor: 8}\n    repair: [{restart: tpu-1}, {drain: tpu}]"
    steps = [
        load_scenario(write(tmp_path, old, "slow_decode: {pool: tpu, count: one, factor: 8}"), seed=seed).plan.steps[0]
        for seed in (7, 7, 1, 2, 3, 4)
    ]
    assert steps[0] == steps[1]
    assert {tuple(step.options["replica"]) for step in steps} == {("tpu-0",), ("tpu-1",)}
    assert set(steps[0].options) == {"replica", "factor"}


def test_markup_in_any_text_is_text(tmp_path: Path) -> None:
    evil = "</script><b>x"
    assert made(tmp_path, "Compare the replicas.", f'"{evil}"').plan.hints[0].text == evil
    assert made(tmp_path, "who: A customer", f'who: "{evil}"').plan.questions[0].who == evil


def test_overrides_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(UserError, match="--stack and --target exclude each other"):
        load_scenario(path, stack="naive", target=path)
    with pytest.raises(UserError, match="--seed -1"):
        load_scenario(path, seed=-1)
    with pytest.raises(UserError, match="there is no scenario"):
        load_scenario("no-such-scenario")


def test_the_target_of_another_file_counts(tmp_path: Path) -> None:
    other = tmp_path / "target.yaml"
    other.write_text("brownout: 1\ntarget: {stack: in-house-chip}\n")
    with pytest.raises(InvalidFile) as caught:
        load_scenario(write(tmp_path), target=other)
    assert "in-house-chip" in str(caught.value)


ODD: list[Any] = [
    *(None, True, 0, -1, 10**30, float("nan"), float("inf"), "", "x", "150%", "-5s", [], [[]], {}, [None]),
    *({"a": 1}, {"pool": "tpu"}, "x" * 3000, "\u202e", {"": ""}, "30%", "1ms", ["restart"], [{"restart": []}]),
]


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(items):
        found.append((value, key))
        found.extend(_places(below))
    return found


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_whatever_stands_in_a_file_is_accepted_or_refused_and_never_a_traceback(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(20):
        document = copy.deepcopy(yaml.safe_load(SCENARIO))
        for _ in range(draw.randint(1, 2)):
            container, key = draw.choice(_places(document))
            container[key] = copy.deepcopy(draw.choice(ODD))
        path = tmp_path / "x.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        with contextlib.suppress(UserError):
            load_scenario(path)
