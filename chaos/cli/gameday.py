"""`brownout gameday`: from its options to an exercise with people on a stack."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from chaos.by_hand.runtime import runtime_folder
from chaos.cli.console import open_console, shell_path
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.preparation import check_possible, exposed, gateway_choice, port_warning
from chaos.experiment.checks import MAX_RUN_S
from chaos.experiment.model import Experiment, Timeline
from chaos.experiment.resolved import resolve
from chaos.experiment.target_file import read_target
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.roles import Role
from chaos.gameday.live.judging import GameDayJudgement
from chaos.gameday.live.session import GameDaySession, Result
from chaos.gameday.scenario.draw import draw, families, load_game_day
from chaos.gameday.scenario.free import free_game_day
from chaos.gameday.scenario.model import GameDay
from chaos.gameday.scenario.offers import offer_for
from chaos.gameday.server.acceptor import listening
from chaos.gameday.server.serving import Serving
from chaos.runner.listening import refuses_connections
from chaos.runner.record_writer import RunFolder
from chaos.supervision.own_arguments import hide_arguments
from reports.gates.grammar import parse_gate
from reports.shared.errors import InvalidFile, TargetFailed, UserError

__all__ = ["NEUTRAL_NAME", "chosen", "neutral", "serve_gameday"]

NEUTRAL_NAME = "game-day"
"""The name of the record and of the experiment in it while the exercise goes on: it tells nothing."""

_REPLICAS = (
    "a game day needs them: name a stack, or put replicas behind your gateway, as in target: {url: "
    '"http://127.0.0.1:4000", model: NAME, replicas: {stack: multi-cloud, first_port: 18101}}'
)

_WHO = {
    Role.GAMEMASTER: "game master",
    Role.RESPONDER: "responders",
    Role.AUDIENCE: "audience (wall)",
}


def chosen(
    name: str | None,
    *,
    free: bool,
    seed_drawn: int | None,
    family: str | None,
    stack: str | None,
    gateway: str | None,
    target: Path | None,
    profile: str | None,
    seed: int | None,
) -> GameDay:
    """The exercise that these options name. Raises UserError where they name none, or several."""
    named = [what for what, given in (("a name", name), ("--free", free), ("--draw", seed_drawn is not None)) if given]
    if (family is not None) != (seed_drawn is not None):
        given, missing = ("--family", "--draw SEED") if seed_drawn is None else ("--draw", "--family FAMILY")
        raise UserError(f"{given} needs {missing}, too\n    the families are: {', '.join(families())}")
    if len(named) > 1:
        raise UserError(f"{' and '.join(named)} exclude each other: each says what is played\n    give one of them")
    if not named:
        raise UserError(
            "name what is played: an experiment or a scenario, --free, or --draw SEED --family FAMILY\n"
            "    brownout list scenarios"
        )
    if profile is not None and not free:
        raise UserError(
            "--profile is for --free: an experiment and a scenario have a load of their own\n    leave it out"
        )
    choice = gateway_choice(gateway)
    if target is not None:
        _check_target(target)
    if seed_drawn is not None and family is not None:
        if seed is not None:
            raise UserError("--seed and --draw exclude each other: what is drawn has a load of its own")
        return draw(seed_drawn, family, stack=stack, target=target, gateway=choice)
    if name is not None:
        return load_game_day(name, stack=stack, seed=seed, target=target, gateway=choice)
    return free_game_day(stack=stack, target=target, gateway=choice, profile=profile, seed=seed)


def _check_target(path: Path) -> None:
    """Whether a game day can be played on the target of a file. Raises InvalidFile, UserError."""
    document, mistakes = read_target(path)
    if mistakes:
        raise InvalidFile(mistakes)
    target = document.data["target"]
    if "url" in target and "replicas" not in target:
        raise UserError(f"--target {path}: this target has no replicas of brownout\n    {_REPLICAS}")


def neutral(experiment: Experiment) -> Experiment:
    """The target and load of an exercise, without what would tell what is played."""
    return replace(
        experiment,
        path=Path(NEUTRAL_NAME),
        name=NEUTRAL_NAME,
        title="Game day",
        description="",
        family="",
        faults=(),
        steady_state=(),
        gates=(),
        headline_gate=parse_gate("sessions_lost == 0", None),
        timeline=Timeline(0.0, MAX_RUN_S, 0.0, 0.0),
        tolerances=(),
        warnings=(),
    )


def serve_gameday(
    day: GameDay,
    *,
    serving: Serving,
    runs: Path,
    stay_s: float | None,
    allow_exposed: bool = False,
    may_leave_loopback: bool = False,
) -> int:
    """Serve an exercise until it is over. Returns exit code 0.

    Raises UserError for a target that is not possible or a port in use, TargetFailed if the stack failed, a fault could
    not be reverted, or the record could not be analysed.
    """
    import uvloop

    serving.check()
    experiment = neutral(day.experiment)
    stack = experiment.stack
    if stack is None:
        raise UserError(f"this target has no replicas of brownout\n    {_REPLICAS}")
    if allow_exposed:
        experiment = replace(experiment, gateway=exposed(experiment.gateway))
    check_possible(experiment, may_leave_loopback=may_leave_loopback)
    if experiment.url is not None and refuses_connections(experiment.url.url):
        raise UserError(
            f"nothing listens at {experiment.url.url}\n    start your gateway first; it needs no replicas yet"
        )
    listening(serving.address, serving.port).close()  # before a record is begun
    if line := port_warning(experiment):
        print(f"warning: {line}", file=sys.stderr)
    runtime_folder()
    hide_arguments()
    folder = RunFolder(runs, NEUTRAL_NAME, private=True)
    console = open_console()

    def say(text: str) -> None:
        console.print(Text(text), soft_wrap=True)

    try:
        facts = {**resolve(experiment), "gates": [], "by_hand": True, "command": _command(sys.argv[1:])}
        folder.write("experiment.yaml", yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=120))
        offer = offer_for(stack, experiment.profile, own_gateway=experiment.own_gateway)

        async def serve() -> Result:
            session = GameDaySession(
                Exercise(day.plan, offer, GameDayJudgement(stack)),
                experiment,
                folder,
                serving,
                stay_s=stay_s,
                say=say,
                log=_log(folder),
                on_links=lambda links: _print_links(console, links),
            )
            return await session.serve()

        with nonblocking_output():
            result = uvloop.run(serve())
    finally:
        folder.close()
    if result.failed is not None or result.problem:
        why = result.failed.why if result.failed is not None else result.problem
        raise TargetFailed(f"{why}\n    record: {folder.path}")
    say(f"record: {shell_path(folder.path)}")
    say(f"its reports again: brownout report {shell_path(folder.path)}")
    return 0


def _command(words: list[str]) -> str:
    return shlex.join(["brownout", *words])


def _log(folder: RunFolder) -> Callable[[str], None]:
    """What happens, line by line, in the record: the terminal may be seen by responders."""
    path = folder.log(NEUTRAL_NAME)

    def log(text: str) -> None:
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError:
            return  # the record says that the disk is full

    return log


def _print_links(console: Console, links: Mapping[Role, str]) -> None:
    console.print(Text("the stack is ready; give each person the link of their role:", style="bold"))
    for role, link in links.items():
        console.print(Text.assemble(f"  {_WHO[role]:16} ", (link, "cyan")), soft_wrap=True)
    console.print(
        Text("The link of the game master shows the faults: open it on a screen that nobody else sees."), soft_wrap=True
    )
    console.print(Text("Ctrl-C ends the exercise: every fault is reverted, every process ends."), soft_wrap=True)
