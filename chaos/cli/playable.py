"""`brownout list --target FILE`: which of the shipped experiments a target can play, and why not the others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.experiment.model import experiment_names, load_experiment
from chaos.experiment.target_file import read_target
from reports.shared.errors import InvalidFile, Problem

__all__ = ["Playable", "playable", "print_playable"]


@dataclass(frozen=True, slots=True)
class Playable:
    """One experiment. `why_not`: what it needs that the target does not have; empty where it can be played."""

    name: str
    title: str
    why_not: tuple[str, ...]


def playable(target: Path) -> list[Playable]:
    """Every shipped experiment on the target of this file. Raises InvalidFile where the file itself is wrong.

    Wrong is what no experiment can be played with. What depends on an experiment, as the API of its clients, is only a
    reason not to play that one.
    """
    _, mistakes = read_target(target)
    if mistakes:
        raise InvalidFile(mistakes)
    problems = {name: _problems(name, target) for name in experiment_names()}
    of_file = [{problem for problem in found if problem.file == str(target)} for found in problems.values()]
    if wrong := set.intersection(*of_file):
        raise InvalidFile(sorted(wrong))
    found = [
        Playable(name, load_experiment(name).title, tuple(dict.fromkeys(problem.what for problem in its)))
        for name, its in problems.items()
    ]
    return sorted(found, key=lambda one: (bool(one.why_not), one.name))


def _problems(name: str, target: Path) -> tuple[Problem, ...]:
    try:
        load_experiment(name, target=target)
    except InvalidFile as error:
        return error.problems
    return ()


def print_playable(target: Path, *, as_json: bool) -> None:
    """Print the list, or JSON."""
    rows = playable(target)
    if as_json:
        shown = [{"name": row.name, "title": row.title, "why_not": list(row.why_not)} for row in rows]
        print(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for row in rows:
        if row.why_not:
            table.add_row(Text("no", style="yellow"), row.name, Text("; ".join(row.why_not), style="dim"))
        else:
            table.add_row(Text("yes", style="green"), row.name, row.title)
    console = open_console()
    console.print(table)
    can = sum(not row.why_not for row in rows)
    console.print(Text(f"\n{can} of {len(rows)} can be played: brownout run NAME --target {target}", style="dim"))
