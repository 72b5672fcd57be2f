"""A scenario, checked: the plan of the exercise, and the experiment that is its target and its load.

`load_scenario("slow-chip")` reads a file, checks it against its stack and its profile, and reports all mistakes at
once, each with file, line and remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from chaos.experiment.checks import check
from chaos.experiment.draft import Draft, GatewayChoice, mapping, views
from chaos.experiment.fault_checks import check_fault
from chaos.experiment.model import Slo
from chaos.experiment.target_file import TargetDocument, read_target
from chaos.experiment.value_checks import check_values
from chaos.gameday.core.plan import PUBLIC_TITLE, Branch, Drawn, Finding, Hint, Plan, Question, Step
from chaos.gameday.scenario.file import EventFile, HintFile, ScenarioFaultFile, ScenarioFile
from chaos.gameday.scenario.game_day import GameDay, target_experiment
from chaos.gameday.scenario.offers import operations_of
from chaos.gameday.scenario.other_plans import BRIEFING
from chaos.gameday.scenario.other_target import OtherTarget
from chaos.gameday.scenario.repair_check import check_repairs
from chaos.gameday.scenario.spoilers import check_spoilers
from chaos.gameday.scenario.steps import step_of
from chaos.gameday.scenario.synthetic import Entry, entries, synthetic_draft, without_faults
from chaos.gameday.scenario.timing import check_ids, check_times
from reports.shared.document import Document
from reports.shared.documents import document_names, find_document, read_document, validate
from reports.shared.errors import InvalidFile, Problem, UserError

__all__ = ["SCENARIOS", "GameDay", "is_scenario", "load_scenario", "scenario_names"]

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
"""The scenarios that ship."""


def scenario_names() -> list[str]:
    """The names of the scenarios that ship."""
    return document_names(SCENARIOS)


def is_scenario(document: Document) -> bool:
    """Whether a file is a scenario, rather than an experiment."""
    return "scenario" in document.data


def load_scenario(
    name_or_path: str | Path,
    *,
    stack: str | Path | None = None,
    seed: int | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
    drawn: Drawn | None = None,
) -> GameDay:
    """Read a shipped scenario by name, or a user's file by path.

    `stack`, `gateway`, `seed` and `target` (a file with a `target:`) override the file. `drawn`: by what it was drawn;
    then title and briefing are the general ones, which do not tell the scenario to those who know it. Raises
    `InvalidFile` with every mistake at once (`OtherTarget` where it could be played on its own target), `UserError` for
    an override that is wrong.
    """
    document = read_document(find_document(name_or_path, SCENARIOS, kind="scenario"))
    if target is not None and (stack is not None or gateway is not None):
        other = "--stack" if stack is not None else "--gateway"
        raise UserError(f"{other} and --target exclude each other: both name the target")
    if seed is not None and not 0 <= seed < 2**63:
        raise UserError(f"--seed {seed}: a seed is a whole number of 0 or more")
    problems: list[Problem] = []
    target_document: Document | None = None
    if target is not None:
        target_document, problems = read_target(target)
    found = entries(document)
    made = synthetic_draft(document, found, stack=stack, seed=seed, target=target_document, gateway=gateway)
    file: ScenarioFile | None = None
    try:
        file = validate(document, ScenarioFile)
    except InvalidFile as error:
        problems.extend(error.problems)
    problems.extend(_check(document, found, made))
    if problems or file is None or made.profile is None:
        option = _option(stack, target, gateway)
        if option and all(problem.file == document.file for problem in problems):
            load_scenario(name_or_path, seed=seed)  # raises what is wrong on its own target, too
            raise OtherTarget(document.file, option, _each_once(problems))
        raise InvalidFile(_each_once(problems))
    if target_document is not None:
        file = file.model_copy(update={"target": validate(target_document, TargetDocument).target})
    plan = _plan(file, found, made, drawn)
    slo = Slo(file.slo.ttft, file.slo.tpot)
    experiment = target_experiment(
        plan, made, file.target, made.profile, slo=slo, length_s=file.length, guardrails=file.guardrails
    )
    return GameDay(plan, experiment)


def _option(stack: str | Path | None, target: Path | None, gateway: GatewayChoice | None) -> str:
    """The options that name another target, as given; "" without one."""
    given = (("--stack", stack), ("--target", target), ("--gateway", gateway))
    return " ".join(f"{name} {value}" for name, value in given if value is not None)


# -- checks -----------------------------------------------------------------------------------------------------------
def _check(document: Document, found: list[Entry], made: Draft) -> Iterator[Problem]:
    yield from check_values(without_faults(document))
    yield from check_values(Document(document.file, {"timeline": made.document.data["timeline"]}, made.document.lines))
    of_branches = [fault for fault, entry in zip(made.faults, found, strict=True) if entry.branch is not None]
    # A branch may come after an earlier fault was repaired: its faults are checked by themselves, not for overlaps.
    yield from check(replace(made, faults=[fault for fault in made.faults if fault not in of_branches]))
    for fault in of_branches:
        yield from check_fault(made, fault)
    yield from check_times(document, found)
    yield from check_ids(document, found)
    operations = operations_of(made.stack, own_gateway=made.own_gateway)
    for entry, fault in zip(found, made.faults, strict=True):
        yield from check_repairs(document, entry, operations, made, _targets(made, fault.index))
        if "exec" in entry.kinds:
            what = "exec runs commands of yours: it is not for a game day"
            yield document.problem((*entry.path, "exec"), what, "remove it, or play it with brownout run")
        if "for" in mapping(entry.raw.get("stall")):
            what = "the streams of a game day stall as long as the fault lasts"
            yield document.problem((*entry.path, "stall", "for"), what, "remove for: from stall:")
    yield from check_spoilers(document, found, made)


def _targets(made: Draft, index: int) -> list[str]:
    spec = made.faults[index].spec
    if spec is None or made.stack is None:
        return []
    return spec.select(views(made.stack), made.seed, made.faults[index].id)


def _each_once(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, without `unknown key` where another problem at that line says more about the key."""
    listed = list(dict.fromkeys(problems))
    explained = {(one.line, one.what.split(" ")[0]) for one in listed if " selects requests" in one.what}
    return [
        one
        for one in listed
        if not any(line == one.line and one.what.startswith(f'unknown key "{key}"') for line, key in explained)
    ]


# -- what it means ----------------------------------------------------------------------------------------------------
def _plan(file: ScenarioFile, found: list[Entry], made: Draft, drawn: Drawn | None) -> Plan:
    steps = list(_steps([*file.faults, *(one for branch in file.branches for one in branch.faults)], found, made))
    own = [step for step, entry in zip(steps, found, strict=True) if entry.branch is None]
    of_branch = [
        tuple(step for step, entry in zip(steps, found, strict=True) if entry.branch == index)
        for index in range(len(file.branches))
    ]
    return Plan(
        name=file.scenario,
        title=file.title,
        description=file.description,
        public_title=PUBLIC_TITLE if drawn is not None else file.public_title,
        briefing=BRIEFING if drawn is not None else file.briefing or BRIEFING,
        family=file.family,
        source="scenario",
        length_s=file.length,
        steps=tuple(own),
        hints=_hints(file.hints, "hint"),
        questions=_questions(file.events, "event"),
        branches=tuple(
            Branch(
                id=f"b{index + 1}",
                at_s=branch.at,
                when=branch.when,
                text=branch.text,
                steps=of_branch[index],
                hints=_hints(branch.hints, f"b{index + 1}-hint"),
                questions=_questions(branch.events, f"b{index + 1}-event"),
                end=branch.end,
            )
            for index, branch in enumerate(file.branches)
        ),
        findings=tuple(Finding(id=f"finding-{index + 1}", text=text) for index, text in enumerate(file.findings)),
        drawn=drawn,
    )


def _steps(files: list[ScenarioFaultFile], found: list[Entry], made: Draft) -> Iterator[Step]:
    taken = {file.id for file in files if file.id is not None}
    free = (f"f{number}" for number in range(1, 10_000) if f"f{number}" not in taken)
    for index, (file, entry) in enumerate(zip(files, found, strict=True)):
        spec = made.faults[index].spec
        assert spec is not None
        yield step_of(
            file.id or next(free),
            spec,
            _raw_options(entry, spec.kind),
            _targets(made, index) if made.stack is not None else spec.select([], made.seed, ""),
            at_s=entry.at_s or 0.0,
            for_s=file.for_,
            repairs=file.repairs,
        )


def _raw_options(entry: Entry, kind: str) -> dict[str, Any]:
    return dict(mapping(entry.raw[kind]))


def _hints(files: list[HintFile], prefix: str) -> tuple[Hint, ...]:
    return tuple(
        Hint(id=f"{prefix}-{index + 1}", after_s=file.after, text=file.text, unless=file.unless or "")
        for index, file in enumerate(files)
    )


def _questions(files: list[EventFile], prefix: str) -> tuple[Question, ...]:
    return tuple(
        Question(
            id=f"{prefix}-{index + 1}", at_s=file.at, who=file.who, text=file.text, answer_within_s=file.answer_within
        )
        for index, file in enumerate(files)
    )
