"""What a run's undo.jsonl says of each fault: who undid it, and which faults the run has left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reports.shared.regular_file import open_regular
from reports.shared.undo_log import read_undo_log

__all__ = ["UndoFact", "left_texts", "undo_facts"]


class UndoFact(NamedTuple):
    """`undone_by`: runner, shepherd or heal; "": nobody. `left`: why the run ended without having undone it, or ""."""

    undone_by: str
    left: str


def undo_facts(run_dir: Path, damage: list[str]) -> dict[str, UndoFact]:
    """By fault id, for each fault that was armed; none of a missing file.

    `damage` gets what cannot be read of the file, because a fault may have been left.
    """
    path = run_dir / "undo.jsonl"
    try:
        with open_regular(path) as file:
            log = read_undo_log(file.read())
    except FileNotFoundError:
        return {}
    except OSError as error:
        damage.append(f"undo.jsonl cannot be read ({error.strerror}): whether every fault was reverted is not known")
        return {}
    for line, why in log.bad:
        damage.append(f"undo.jsonl:{line}: {why}: whether every fault was reverted is not known")
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
        + ("" if fact.undone_by else f". Undo it by: brownout heal {run_dir}")
        for name, fact in facts.items()
        if fact.left
    ]
