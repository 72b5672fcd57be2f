"""The commands of the user's that an experiment would run on this machine, and whether `run` may run them.

`brownout check` prints them and goes on; `brownout run` stops before anything starts, unless they are allowed.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator

from chaos.experiment.model import Experiment
from chaos.faults.system.exec import Exec
from chaos.supervision.command import ALLOW_EXEC, command_environment, resolved

__all__ = ["command_lines", "command_notice", "command_problem", "commands_folder", "missing_programs"]


def commands_folder(experiment: Experiment) -> str:
    """The folder in which the commands run: that of the experiment's file. An absolute path."""
    return os.path.abspath(experiment.path.parent)


def _specs(experiment: Experiment) -> Iterator[tuple[str, Exec]]:
    """The id of each entry with commands, and what it says; an entry that repeats once."""
    seen: set[str] = set()
    for fault in experiment.faults:
        entry = fault.id.partition(".")[0]
        if isinstance(fault.spec, Exec) and entry not in seen:
            seen.add(entry)
            yield entry, fault.spec


def command_lines(experiment: Experiment) -> list[str]:
    """Each command as a line: `f1 inject: docker stop tpu-0`; empty where there is none."""
    return [
        f"{entry} {stage}: {shlex.join(words)}"
        for entry, spec in _specs(experiment)
        for stage, words in spec.commands().items()
    ]


def command_notice(experiment: Experiment) -> list[str]:
    """What the user is told before a run that has commands: each of them, and their folder. Empty without one."""
    lines = command_lines(experiment)
    if not lines:
        return []
    return [
        f"commands that run on this machine, in {shlex.quote(commands_folder(experiment))}:",
        *map("    {}".format, lines),
    ]


def missing_programs(experiment: Experiment) -> list[str]:
    """A problem for each program that this machine does not have or may not execute."""
    folder, found = commands_folder(experiment), []
    for entry, spec in _specs(experiment):
        path = command_environment(os.environ, spec.env).get("PATH", os.defpath)
        for stage, words in spec.commands().items():
            program = resolved(words, folder)[0]
            if shutil.which(program, path=path) is None:
                where = "is not an executable file" if "/" in program else "is not in PATH"
                found.append(f"{entry} {stage}: {program} {where}")
    return found


def command_problem(experiment: Experiment, *, allowed: bool) -> str:
    """Why `run` must not start because of the commands; "" if it may."""
    lines = command_lines(experiment)
    if lines and not allowed:
        what = f"{experiment.path}: this experiment runs commands on this machine, and that is off:"
        listed = "".join(f"\n    {line}" for line in lines)
        folder = f"\n    in the folder {shlex.quote(commands_folder(experiment))}"
        return f"{what}{listed}{folder}\n  Read them. If they do what you want, add {ALLOW_EXEC}"
    missing = "".join(f"\n    {line}" for line in missing_programs(experiment))
    if missing:
        return f"{experiment.path}: nothing was started, because commands cannot be run:{missing}"
    return ""
