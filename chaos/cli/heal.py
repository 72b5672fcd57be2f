"""`brownout heal [RUN]`: undoes what an ended run, or the runs of a gate, have left, and says what it found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chaos.cli.console import error_line, open_console
from chaos.supervision.heal import Found, Healed, heal
from chaos.supervision.run_lock import RunLocked
from chaos.supervision.undo import read_file
from reports.shared.errors import UserError

__all__ = ["heal_runs"]

_STYLE = {"undone": "green", "already": "green", "to do": "yellow", "failed": "bold red"}
_WORDS = {"undone": "undone", "already": "already as it should be", "to do": "to do", "failed": "FAILED"}


def heal_runs(run: Path | None, *, runs: Path, dry_run: bool, allow_exec: bool = False) -> int:
    """Heal one run, or every run below `runs` whose undo file lists something. Returns the exit code.

    `run`: the folder of a run, or of a gate, whose runs are healed. Without it, the runs of gates are healed as well.
    0: nothing is left to undo; 5: something could not be undone. With `dry_run`: 5 if something is to be done.
    `allow_exec`: commands of the user's are run, which are printed in any case. Raises
    UserError if `run` cannot be healed; of several runs, one that cannot is named, and the others are healed (2).
    """
    console = open_console()
    if run is not None:
        folder = _folder(run, runs)
        if not _is_run(folder):
            return _several(console, _inside(folder / "runs"), str(folder), dry_run=dry_run, allow_exec=allow_exec)
        return _print(console, folder, heal(folder, dry_run=dry_run, allow_exec=allow_exec), dry_run=dry_run)
    if not runs.is_dir():
        raise UserError(f"{runs}: no such folder. Name the folder of a run, or the folder of all runs by --runs")
    own = [runs / folder.name for folder in _inside(runs.resolve())]  # the user may name it through a link
    found = [*own, *(inside for folder in own for inside in _inside(folder / "runs"))]
    return _several(console, found, str(runs), dry_run=dry_run, allow_exec=allow_exec)


def _inside(folder: Path) -> list[Path]:
    """What is in a folder, by name, without links; nothing where it is no folder, or a link itself."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        return [path for path in sorted(folder.iterdir()) if not path.is_symlink()]
    except OSError:  # a folder that may not be read
        return []


def _several(console: Console, found: Sequence[Path], where: str, *, dry_run: bool, allow_exec: bool) -> int:
    """Heal those of these folders whose undo file lists something. Returns the exit code. `where`: they are."""
    folders = [folder for folder in found if _lists_something(folder)]
    codes = [_one_of_several(console, folder, dry_run=dry_run, allow_exec=allow_exec) for folder in folders]
    if not codes:
        console.print(Text(f"{where}: no run has left anything to undo"), soft_wrap=True)
    return next((code for code in (5, 2) if code in codes), 0)


def _one_of_several(console: Console, folder: Path, *, dry_run: bool, allow_exec: bool) -> int:
    try:
        return _print(console, folder, heal(folder, dry_run=dry_run, allow_exec=allow_exec), dry_run=dry_run)
    except RunLocked as error:
        console.print(Text(f"left alone: {error}", style="yellow"), soft_wrap=True)
        return 2
    except UserError as error:
        sys.stdout.flush()
        error_line(error)
        return 2


def _folder(run: Path, runs: Path) -> Path:
    """The folder that `run` names: itself, or below `runs`. Raises UserError if it is of no run and of no gate."""
    try:
        folder = run if run.is_dir() or run.is_absolute() or not (runs / run).is_dir() else runs / run
        is_folder = folder.is_dir()
        is_one = _is_run(folder) or (folder / "gate.json").exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UserError(f"{run}: cannot be read: {error.strerror}. Name the folder of a run") from error
    if not is_folder:
        raise UserError(f"{run}: no such folder. Name the folder of a run, for example one below {runs}/")
    if not is_one:
        raise UserError(f"{folder}: not the folder of a run (it has neither undo.jsonl nor events.jsonl)")
    return folder


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("undo.jsonl", "events.jsonl"))


def _lists_something(folder: Path) -> bool:
    """Whether the undo file of a folder lists something, or cannot be read."""
    try:
        log = read_file(folder / "undo.jsonl")
    except NotADirectoryError:
        return False
    except OSError:
        return True
    return bool(log.pending or log.bad)


def _print(console: Console, folder: Path, healed: Healed, *, dry_run: bool) -> int:
    """Print what was found in one run. Returns the exit code."""
    for line in healed.torn:
        text = f"{folder / 'undo.jsonl'}:{line}: an incomplete line, left out: its fault was not injected"
        console.print(Text(text, style="dim"), soft_wrap=True)
    if not healed.found:
        console.print(Text(f"{folder}: nothing to undo"), soft_wrap=True)
        return 0
    console.print(Text(f"{folder}", style="bold"), soft_wrap=True)
    for one in healed.found:
        console.print(_line(one), soft_wrap=True)
        if one.hand:
            console.print(Text(f"      by hand: {one.hand}"), soft_wrap=True)
    to_do = sum(one.answer == "to do" for one in healed.found)
    failed = sum(one.answer == "failed" for one in healed.found)
    if failed:
        console.print(Text(f"{failed} of {len(healed.found)} not undone", style="bold red"))
    elif to_do:
        console.print(f"{to_do} of {len(healed.found)} to be undone: leave out --dry-run")
    elif dry_run:
        console.print("nothing is left to undo; without --dry-run, the undo file will say so too")
    else:
        console.print("nothing is left to undo")
    return 5 if failed or to_do else 0


def _line(one: Found) -> Text:
    name = one.record.get("process")
    where = f" ({name})" if name else ""
    return Text.assemble(
        f"  {one.fault}: {one.record.get('do')}{where}: ", (_WORDS[one.answer], _STYLE[one.answer]), f": {one.why}"
    )
