"""What a run's undo.jsonl says of each fault: who undid it, and which faults the run has left."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from reports.shared.regular_file import open_regular
from reports.shared.undo_log import read_undo_log

_UNKNOWN: Final = "whether every fault was reverted is not known"

__all__ = ["UndoFact", "left_texts", "undo_facts"]


class UndoFact(NamedTuple):
    """`undone_by`: runner, shepherd or heal; "": nobody. `left`: why the run ended without having undone it, or ""."""

    undone_by: str
    left: str


def undo_facts(run_dir: Path, confirmed: Iterable[str], unknown: list[str]) -> dict[str, UndoFact]:
    """By fault id, for each fault that was armed. `confirmed`: the ids of the faults that were on.

    `unknown` gets a reason for the verdict for what cannot be read or is missing: a fault may have been left.
    """
    path = run_dir / "undo.jsonl"
    try:
        with open_regular(path) as file:
            log = read_undo_log(file.read())
    except FileNotFoundError:
        log = read_undo_log(b"")
    except OSError as error:
        unknown.append(f"{_UNKNOWN}: undo.jsonl cannot be read ({error.strerror})")
        return {}
    unknown += [f"{_UNKNOWN}: undo.jsonl:{line}: {why}" for line, why in log.bad]
    if unlisted := sorted({*confirmed} - {fault.fault for fault in log.faults}):
        unknown.append(f"{_UNKNOWN}: undo.jsonl does not list {', '.join(unlisted)}")
    facts = {}
    for fault in log.faults:
        left = ""
        if fault.left_by_run:
            later = "; undone later by brownout heal" if fault.done_by else ""
            left = ("; ".join(fault.failed) or "undo.jsonl does not say that it was undone") + later
        facts[fault.fault] = UndoFact(fault.done_by, left)
    return facts


def left_texts(facts: Mapping[str, UndoFact], kinds: Mapping[str, str], run_dir: Path) -> list[str]:
    """A reason for the verdict for each fault that the run has left. `kinds`: kind and targets, by fault id."""
    return [
        f"fault {name} ({kinds.get(name, 'of an unknown kind')}) was not reverted: {fact.left}"
        + ("" if fact.undone_by else f". Undo it by: brownout heal {shlex.quote(str(run_dir))}")
        for name, fact in facts.items()
        if fact.left
    ]
